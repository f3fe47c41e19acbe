"""Makes the library's counters, gauges and histograms from the table, for one process.

Why a registry is given: several applications or workers may run in one process, and each counts only its own events.
"""

import platform
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from app import __version__
from app.core.metrics.table import TABLE


def new_registry() -> CollectorRegistry:
    """An empty registry that knows the versions."""
    disable_created_metrics()
    registry = CollectorRegistry()
    gauge("koe_build_info", registry).labels(__version__, platform.python_version()).set(1)
    return registry


def counter(name: str, registry: CollectorRegistry) -> Counter:
    """The counter of that name. Values of labels that are known in advance begin with 0: Prometheus sees no increase in a value
    that was absent.
    """
    row = TABLE[name]
    made = Counter(row.name, row.help, tuple(row.labels), registry=registry)
    for values in product(*row.labels.values()) if row.labels else ():
        made.labels(*values)
    return made


def gauge(name: str, registry: CollectorRegistry) -> Gauge:
    """The gauge of that name. Values of labels that are known in advance begin with 0."""
    row = TABLE[name]
    made = Gauge(row.name, row.help, tuple(row.labels), registry=registry)
    for values in product(*row.labels.values()) if row.labels else ():
        made.labels(*values)
    return made


def histogram(name: str, registry: CollectorRegistry) -> Histogram:
    """The histogram of that name."""
    row = TABLE[name]
    return Histogram(row.name, row.help, tuple(row.labels), registry=registry, buckets=row.buckets)
