"""The alert rules: each fires when it must and not before, and says what to do."""

import re
from typing import Any

import pytest
import yaml

from app.cli.commands import koe
from app.core.errors import CLASSES_BY_CODE
from app.core.settings import Settings, env_name
from tests.deploy.queries import ALERT_TESTS, ALERTS, DEPLOY, alerts, metrics_in, panels, promtool
from tests.promises.guides import OPERATORS, section

CASES = yaml.safe_load(ALERT_TESTS.read_text(encoding="utf-8"))["tests"]
NAMES_IN_KEYS_AND_LOG = {"max_concurrent", "rate_limit", "request_answered", "request_id"}
every_alert = pytest.mark.parametrize("name", alerts())


def moments(case: dict[str, Any]) -> list[str]:
    """The alerts that fire at each time that the case checks, as text."""
    return [str(check["exp_samples"]) for check in case["promql_expr_test"]]


def test_prometheus_takes_the_rules_and_its_configuration() -> None:
    assert f"{len(alerts())} rules found" in promtool("check", "rules", ALERTS)
    promtool("check", "config", DEPLOY / "prometheus/prometheus.yml")


def test_every_alert_fires_and_does_not_fire() -> None:
    promtool("test", "rules", ALERT_TESTS)


@every_alert
def test_an_alert_has_a_case_in_which_it_first_does_not_fire_and_then_does(name: str) -> None:
    label = f'"{name}"'

    assert any(label not in first and any(label in moment for moment in later) for first, *later in map(moments, CASES))


@every_alert
def test_the_cases_feed_every_metric_of_an_alert(name: str) -> None:
    fed = {metric for case in CASES for series in case["input_series"] for metric in metrics_in(series["series"])}

    assert metrics_in(alerts()[name]["expr"]) <= fed


@every_alert
def test_an_alert_says_what_to_do_and_how_urgent_it_is(name: str) -> None:
    rule = alerts()[name]
    summary = rule["annotations"]["summary"]

    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert len(re.findall(r"[.:;] ", summary)) >= 1, "what is wrong, and then what to do"
    assert summary.endswith(".")
    assert rule["annotations"]["description"].endswith(".")


def test_the_guide_lists_every_alert() -> None:
    assert set(re.findall(r"`(Koe[A-Z]\w+)`", section(OPERATORS, "Metrics and log"))) == set(alerts())


@every_alert
def test_what_a_summary_names_exists(name: str) -> None:
    text = " ".join(alerts()[name]["annotations"].values())

    assert set(re.findall(r"KOE_[A-Z_]+", text)) <= {env_name(field) for field in Settings.__struct_fields__}
    assert set(re.findall(r"`koe (\w+)", text)) <= set(koe.commands)
    assert set(re.findall(r'panel "([^"]+)"', text)) <= {panel["title"] for panel in panels()}
    words = set(re.findall(r"\b[a-z]+_[a-z_]+\b", text)) - metrics_in(text) - NAMES_IN_KEYS_AND_LOG
    assert words <= set(CLASSES_BY_CODE)
