"""The names of counts in Redis: those of Prometheus' samples, such as `koe_job_seconds_bucket{le="60.0"}`.

Why one count for each sample: Redis adds two numbers in one step, and knows nothing of histograms.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.utils import floatToGoString

from app.core.metrics.table import TABLE, Kind, MetricInfo, Source

_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')

Counts = Mapping[str, float]
"""Name of a sample → its value."""
Labels = tuple[tuple[str, str], ...]

_OF_WORKERS: Final = {name.removesuffix("_total") for name, row in TABLE.items() if row.source is Source.WORKERS}


def sample_name(name: str, labels: Mapping[str, str]) -> str:
    """The name of a sample with its labels. No value of a label has a quote: all come from the code."""
    shown = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{shown}}}" if shown else name


def counts_of(registry: CollectorRegistry) -> dict[str, float]:
    """The counts of a worker that are not 0."""
    return {
        sample_name(sample.name, sample.labels): sample.value
        for family in registry.collect()
        if family.name in _OF_WORKERS
        for sample in family.samples
        if sample.value
    }


def add_counts(family: Metric, row: MetricInfo, counts: Counts) -> None:
    """Adds the samples of a counter or histogram. Those whose labels are known in advance begin with 0; a histogram has all
    buckets of the table and no others, in order.
    """
    for labels in sorted(_known_labels(row) | _found_labels(row, counts)):
        if row.kind is Kind.HISTOGRAM:
            _add_histogram(family, row, dict(labels), counts)
        else:
            family.add_sample(row.name, dict(labels), counts.get(sample_name(row.name, dict(labels)), 0.0))


def _add_histogram(family: Metric, row: MetricInfo, labels: dict[str, str], counts: Counts) -> None:
    for bound in (*row.buckets, float("inf")):
        bucket = labels | {"le": floatToGoString(bound)}
        _add(family, f"{row.name}_bucket", bucket, counts)
    for suffix in ("_count", "_sum"):
        _add(family, row.name + suffix, labels, counts)


def _add(family: Metric, name: str, labels: dict[str, str], counts: Counts) -> None:
    family.add_sample(name, labels, counts.get(sample_name(name, labels), 0.0))


def _known_labels(row: MetricInfo) -> set[Labels]:
    """The labels whose values are known in advance; one empty set of labels for a metric without labels."""
    known: list[Labels] = [()]
    for label, values in row.labels.items():
        known = [(*labels, (label, value)) for labels in known for value in values]
    return set(known)


def _found_labels(row: MetricInfo, counts: Counts) -> set[Labels]:
    own = f"{row.name}_count" if row.kind is Kind.HISTOGRAM else row.name
    return set(_labels_of(own, counts))


def _labels_of(name: str, counts: Counts) -> Iterator[Labels]:
    for found in counts:
        if found.startswith(f"{name}{{"):
            yield tuple(_LABEL.findall(found))
