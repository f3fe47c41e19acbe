"""What a worker is doing now, for its heartbeat record and its metrics."""

from collections.abc import Sequence

from app.core.host.memory import resident_bytes
from app.core.queue.fleet import Vitals
from workers.process.runtime import Runtime
from workers.process.slot import Slot


def read_vitals(runtime: Runtime, slots: Sequence[Slot]) -> Vitals:
    """Returns the values of this moment. Takes less than a millisecond."""
    engines = runtime.engines
    return Vitals(
        n_busy_slots=sum(slot.is_busy for slot in slots),
        n_busy_threads=runtime.scheduler.n_busy_threads,
        waiting_seconds=runtime.waiting_seconds,
        memory_bytes=resident_bytes(),
        device_bytes=max((engine.device_bytes for engine in engines.values()), default=0),
        loaded={name: engine.is_loaded for name, engine in engines.items()},
    )
