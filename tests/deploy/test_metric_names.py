"""The names of metrics and of their labels are the same in the code, the dashboard, the alert rules and the guide."""

import json
import re
from pathlib import Path
from typing import Final

import pytest
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import CollectorRegistry

from app.core.metrics.table import TABLE, Kind, Source
from tests.deploy.queries import alerts, metrics_in, promtool, queries
from tests.promises.guides import OPERATORS, section

FROM_PROMETHEUS: Final = {"job", "instance", "le"}
"""Labels that Prometheus adds, and the bound of a histogram's bucket."""

HISTOGRAM: Final = ("_bucket", "_sum", "_count")

EXPRS: Final = {**{query.expr: query.panel for query in queries()}, **{rule["expr"]: name for name, rule in alerts().items()}}
every_expr = pytest.mark.parametrize("expr", EXPRS, ids=EXPRS.values())


def series_names() -> set[str]:
    """The name of every series that Koe has: histograms have three each."""
    histograms = {name for name, row in TABLE.items() if row.kind is Kind.HISTOGRAM}
    process = ProcessCollector(namespace="koe", registry=CollectorRegistry())
    library = {sample.name for family in process.collect() for sample in family.samples}
    return (set(TABLE) - histograms) | {name + suffix for name in histograms for suffix in HISTOGRAM} | library


def metric_of(series: str) -> str:
    """The metric that a series belongs to: `koe_job_seconds` for `koe_job_seconds_bucket`."""
    return series if series in TABLE else re.sub(r"_(bucket|sum|count)$", "", series)


def selectors(expr: str) -> list[tuple[str, dict[str, str]]]:
    """The selectors of Koe's series: name, and label → value with its operator."""
    found = re.findall(r"\b(koe_\w+)(?:\{([^}]*)\})?", expr)
    return [(name, dict(re.findall(r'(\w+)([=!~]+"[^"]*")', labels))) for name, labels in found]


def labels_of(series: str) -> dict[str, tuple[str, ...]]:
    """Label → its known values."""
    row = TABLE.get(metric_of(series))
    return row.labels if row else {}


def kept_labels(expr: str) -> set[str]:
    """The labels that the query keeps."""
    return {label for labels in re.findall(r"by \(([^)]*)\)", expr) for label in re.findall(r"\w+", labels)}


def test_code_guide_dashboard_and_alerts_have_the_same_metrics() -> None:
    documented = set(re.findall(r"^\| `(koe_\w+)", section(OPERATORS, "Metrics and log"), re.MULTILINE)) - {"koe_process_"}
    drawn = {name for query in queries() for name in metrics_in(query.expr)}
    watched = {name for rule in alerts().values() for name in metrics_in(rule["expr"])}

    assert documented == set(TABLE)
    assert (drawn | watched) - series_names() == set()
    assert set(TABLE) - {metric_of(name) for name in drawn} == set(), "no panel shows them"


def test_prometheus_can_parse_the_query_of_every_panel(tmp_path: Path) -> None:
    rules = [{"record": f"query:{n}", "expr": query.at("koe", "1m")} for n, query in enumerate(queries())]
    page = tmp_path / "queries.yaml"
    page.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))

    assert f"{len(rules)} rules found" in promtool("check", "rules", page)


@every_expr
def test_labels_and_their_values_are_those_of_the_table(expr: str) -> None:
    for series, labels in selectors(expr):
        known = labels_of(series)

        assert set(labels) <= set(known) | FROM_PROMETHEUS
        for label, value in labels.items():
            assert not known.get(label) or value in {f'="{one}"' for one in known[label]}
    assert kept_labels(expr) <= FROM_PROMETHEUS.union(*(labels_of(series) for series, _ in selectors(expr)))


@every_expr
def test_what_all_api_processes_report_alike_is_not_added_up(expr: str) -> None:
    """With two API processes, a sum would show twice the workers, and a maximum half of the requests."""
    inner = r"(\w+)(?: by \([^)]*\))? ?\((?:(?:rate|increase|deriv|avg_over_time)\()?(koe_\w+)"
    for how, series in re.findall(inner, expr):
        row = TABLE.get(metric_of(series))
        if row is not None and row.name != "koe_redis_up":
            assert how in ({"sum", "count"} if row.source is Source.API else {"max"}), series
