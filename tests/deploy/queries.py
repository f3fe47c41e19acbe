"""The queries of the dashboard and of the alert rules, and the names that they use."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
DASHBOARD: Final = DEPLOY / "grafana/dashboards/koe.json"
ALERTS: Final = DEPLOY / "prometheus/alerts.yaml"
ALERT_TESTS: Final = Path(__file__).parent / "alerts.test.yaml"


class Query(msgspec.Struct, frozen=True):
    """One query of a panel, as Grafana stores it."""

    panel: str
    """Title of the panel."""
    expr: str
    legend: str
    is_instant: bool

    def at(self, job: str, window: str) -> str:
        """Returns the query with Grafana's variables replaced. `window`: the time that rates look back, such as `15s`."""
        return self.expr.replace("$job", job).replace("$__rate_interval", window)


@cache
def dashboard() -> dict[str, Any]:
    """Returns the dashboard."""
    read: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return read


def panels() -> list[dict[str, Any]]:
    """Returns the panels that show something: all but the headings of rows."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries_of(panel: dict[str, Any]) -> list[Query]:
    """Returns the queries of a panel."""
    return [
        Query(panel["title"], target["expr"], target["legendFormat"], target["instant"] and not target["range"])
        for target in panel["targets"]
    ]


def queries() -> list[Query]:
    """Returns the queries of all panels."""
    return [query for panel in panels() for query in queries_of(panel)]


@cache
def alerts() -> dict[str, dict[str, Any]]:
    """Returns the alert rules by name."""
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def metrics_in(expr: str) -> set[str]:
    """Returns the names of Koe's series in a query, with the suffixes of histograms."""
    return set(re.findall(r"\bkoe_\w+", expr))


def promtool(*arguments: str | Path) -> str:
    """Runs promtool. Returns its output; fails with it, and skips the test where promtool is not installed."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed; Debian has it in the package prometheus")
    done = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout
