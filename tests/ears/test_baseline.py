"""Figures that are worse than the baseline are reported, and no others."""

from pathlib import Path

from tests.ears.baseline import read_baseline, worse_than, write_baseline
from tests.ears.report import Rows


def compared(before: dict[str, float], now: dict[str, float | None]) -> list[str]:
    return list(worse_than({"sentences": {"en": dict(before)}}, {"sentences": {"en": dict(now)}}))


def test_more_errors_than_the_margin_are_worse() -> None:
    assert compared({"word errors %": 2.0}, {"word errors %": 9.0}) == [
        "sentences, en: word errors % is 9.0, was 2.0 (margin 4.6)."
    ]


def test_fewer_errors_and_errors_within_the_margin_are_not() -> None:
    assert compared({"word errors %": 9.0}, {"word errors %": 2.0}) == []
    assert compared({"word errors %": 2.0}, {"word errors %": 5.0}) == []


def test_where_much_is_misheard_the_margin_is_wider() -> None:
    assert compared({"word errors %": 40.0}, {"word errors %": 55.0}) == []
    assert compared({"word errors %": 40.0}, {"word errors %": 57.0}) != []


def test_a_figure_that_is_not_a_number_is_worse() -> None:
    assert compared({"DNSMOS": 3.2}, {"DNSMOS": float("nan")}) != []


def test_lower_quality_is_worse_and_higher_is_not() -> None:
    assert compared({"DNSMOS": 3.2}, {"DNSMOS": 3.0}) != []
    assert compared({"DNSMOS": 3.2}, {"DNSMOS": 3.9}) == []


def test_loudness_may_not_change_in_either_direction() -> None:
    assert compared({"LUFS": -20.0}, {"LUFS": -18.0}) != []
    assert compared({"LUFS": -20.0}, {"LUFS": -22.0}) != []
    assert compared({"LUFS": -20.0}, {"LUFS": -20.9}) == []


def test_a_figure_that_is_no_longer_measured_is_worse() -> None:
    assert compared({"DNSMOS": 3.2}, {"DNSMOS": None}) != []
    assert list(worse_than({"sentences": {"en": {"DNSMOS": 3.2}}}, {"sentences": {}})) != []


def test_parts_rows_and_figures_without_a_baseline_pass() -> None:
    assert compared({}, {"DNSMOS": 1.0}) == []
    assert list(worse_than({}, {"short": {"en": {"understood %": 1.0}}})) == []


def test_a_new_baseline_keeps_the_parts_that_were_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    first: Rows = {"en": {"DNSMOS": 3.2, "remark": "not compared"}}
    write_baseline({"sentences": first}, path)
    write_baseline({"short": {"en": {"understood %": 90.0}}}, path)

    assert read_baseline(path) == {"sentences": {"en": {"DNSMOS": 3.2}}, "short": {"en": {"understood %": 90.0}}}


def test_the_stored_baseline_can_be_read_and_names_known_figures() -> None:
    assert list(worse_than(read_baseline(), read_baseline())) == []
