"""Metrics that are not counted in this process: made from the table at each scrape and filled with values."""

from collections.abc import Iterable, Iterator
from typing import Final, Self

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from app.core.metrics.samples import Counts, add_counts
from app.core.metrics.table import TABLE, Kind, Source
from app.core.queue.fleet import Registration

VITALS: Final = (
    "koe_workers",
    "koe_slots",
    "koe_busy_slots",
    "koe_threads",
    "koe_busy_threads",
    "koe_worker_memory_bytes",
    "koe_device_memory_bytes",
    "koe_model_loaded",
)
"""The metrics that `Families.add_workers` adds."""


class Families(Collector):
    """These metrics, in their order."""

    def __init__(self, names: Iterable[str]) -> None:
        self._families = {name: Metric(name.removesuffix("_total"), TABLE[name].help, TABLE[name].kind.value) for name in names}

    @classmethod
    def of_redis(cls) -> Self:
        """All metrics that are not counted by the API."""
        return cls(name for name, row in TABLE.items() if row.source is not Source.API)

    def add(self, name: str, value: float, **labels: str) -> None:
        """Adds one value."""
        self._families[name].add_sample(name, labels, value)

    def add_counts(self, counts: Counts) -> None:
        """Adds all counters and histograms."""
        for name, family in self._families.items():
            if TABLE[name].kind is not Kind.GAUGE:
                add_counts(family, TABLE[name], counts)

    def add_workers(self, registrations: Iterable[Registration]) -> None:
        """Adds what these workers say in their heartbeat records."""
        workers = sorted(registrations, key=lambda registration: registration.name)
        self.add("koe_workers", len(workers))
        self.add("koe_slots", sum(worker.n_slots for worker in workers))
        self.add("koe_busy_slots", sum(worker.vitals.n_busy_slots for worker in workers))
        self.add("koe_threads", sum(worker.n_threads for worker in workers))
        self.add("koe_busy_threads", sum(worker.vitals.n_busy_threads for worker in workers))
        for worker in workers:
            self._add_worker(worker)

    def _add_worker(self, worker: Registration) -> None:
        vitals = worker.vitals
        self.add("koe_worker_memory_bytes", vitals.memory_bytes, worker=worker.name)
        if vitals.device_bytes:
            self.add("koe_device_memory_bytes", vitals.device_bytes, worker=worker.name)
        for engine, is_loaded in sorted(vitals.loaded.items()):
            self.add("koe_model_loaded", int(is_loaded), worker=worker.name, engine=engine)

    @override
    def collect(self) -> Iterator[Metric]:
        yield from self._families.values()
