"""The table of metrics: names and labels follow one form, so that dashboards and alerts can rely on them."""

import re

import pytest

from app.core.metrics.table import TABLE, Kind, MetricInfo, Source

UNITS = ("seconds", "bytes", "ratio", "total", "info")
COUNTS = {"requests", "sessions", "workers", "slots", "threads", "utterances", "jobs", "engine", "up", "loaded"}
"""Last words of gauges that are a number of things, or 1 for yes."""
LABELS = {
    "method",
    "route",
    "status",
    "code",
    "reason",
    "cache",
    "lane",
    "engine",
    "format",
    "kind",
    "outcome",
    "protocol",
    "worker",
}
ABOUT_THE_BUILD = {"version", "python"}

of_every_metric = pytest.mark.parametrize("metric", TABLE.values(), ids=lambda metric: metric.name)


@of_every_metric
def test_a_name_begins_with_koe_and_ends_with_its_unit(metric: MetricInfo) -> None:
    last = metric.name.rpartition("_")[2]

    assert re.fullmatch(r"koe(_[a-z]+)+", metric.name)
    assert last in UNITS or (metric.kind is Kind.GAUGE and last in COUNTS)
    assert (last == "total") is (metric.kind is Kind.COUNTER)


@of_every_metric
def test_a_label_names_nothing_that_a_client_chooses(metric: MetricInfo) -> None:
    assert set(metric.labels) <= (ABOUT_THE_BUILD if metric.name == "koe_build_info" else LABELS)


@of_every_metric
def test_the_help_is_a_sentence_on_one_line(metric: MetricInfo) -> None:
    assert re.fullmatch(r"[A-Z1][^\n|]+\.", metric.help)


@of_every_metric
def test_the_buckets_of_a_time_go_from_what_is_short_for_speech_to_what_is_long(metric: MetricInfo) -> None:
    assert list(metric.buckets) == sorted(set(metric.buckets))
    if metric.kind is Kind.HISTOGRAM and metric.source is Source.API:
        assert (metric.buckets[0], metric.buckets[-1]) == (0.005, 60.0)
