"""The dashboard is what Grafana 11 expects, and a person can read it."""

import itertools
import re
from typing import Any, Final

import pytest
import yaml

from app.core.settings import Settings, env_name
from tests.deploy.queries import DASHBOARD, DEPLOY, alerts, dashboard, panels, queries, queries_of

UNITS: Final = {"none", "s", "reqps", "cpm", "cps", "decbytes", "percentunit"}
"""Units of Grafana: none, seconds, requests per second, counts per minute and per second, bytes, shares of 1."""
KINDS: Final = {"stat", "timeseries", "state-timeline"}
WIDTH: Final = 24

every_panel = pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    return set(itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])))


def datasources(node: Any) -> list[Any]:
    """All values under a key `datasource`, at any depth."""
    if isinstance(node, list):
        return [found for item in node for found in datasources(item)]
    if not isinstance(node, dict):
        return []
    own = [node["datasource"]] if "datasource" in node else []
    return own + [found for item in node.values() for found in datasources(item)]


def test_it_has_the_schema_of_grafana_11_and_no_id_of_one_server() -> None:
    read = dashboard()

    assert 39 <= read["schemaVersion"] <= 41
    assert (read["uid"], read["title"], read["id"]) == ("koe", "Koe", None)
    assert read["time"] == {"from": "now-1h", "to": "now"}
    assert read["refresh"] == "30s"


def test_one_variable_chooses_the_datasource_and_one_the_fleet() -> None:
    variables = {variable["name"]: variable for variable in dashboard()["templating"]["list"]}

    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    assert variables["job"]["definition"] == "label_values(koe_redis_up, job)"
    assert all(found == {"type": "prometheus", "uid": "${datasource}"} for found in datasources(dashboard()))


def test_no_panel_covers_another_or_stands_outside() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] >= 0 < place["w"]
        assert place["x"] + place["w"] <= WIDTH
        for cell in cells(panel):
            assert taken.setdefault(cell, panel["title"]) == panel["title"]


def test_ids_and_titles_are_unique() -> None:
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])
    assert len({panel["title"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])


@every_panel
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]

    assert panel["type"] in KINDS
    assert panel["description"].endswith(".")
    assert defaults["unit"] in UNITS
    assert defaults["unit"] != "percentunit" or defaults["min"] == 0


@every_panel
def test_thresholds_begin_without_a_value_and_rise(panel: dict[str, Any]) -> None:
    first, *others = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]

    values = [step["value"] for step in others]
    assert first["value"] is None
    assert values == sorted(values)


@every_panel
def test_every_series_has_a_name_of_its_own(panel: dict[str, Any]) -> None:
    found = queries_of(panel)

    assert len({target["refId"] for target in panel["targets"]}) == len({query.legend for query in found}) == len(found)
    for query in found:
        outermost = re.search(r"\b(?:sum|max|min|count)(?: by \(([^)]*)\))? ?\(", query.expr)
        kept = set(re.findall(r"\w+", outermost[1] or "")) - {"le"} if outermost else {"instance"}
        assert query.legend
        assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) == kept


def test_every_selector_names_the_fleet() -> None:
    for query in queries():
        assert len(re.findall(r"\bkoe_\w+", query.expr)) == len(re.findall(r'\bkoe_\w+\{job="\$job"', query.expr)), query.expr


def test_variables_are_those_of_grafana_and_of_the_dashboard() -> None:
    assert {name for query in queries() for name in re.findall(r"\$\w+", query.expr)} == {"$job", "$__rate_interval"}


@pytest.mark.parametrize("alert", ["KoeFirstAudioSlow", "KoeWorkerMemory"])
def test_the_red_line_of_a_panel_is_the_limit_of_its_alert(alert: str) -> None:
    [panel] = [panel for panel in panels() if alert in panel["description"]]

    limit = float(alerts()[alert]["expr"].rpartition(">")[2])
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1] == {"color": "red", "value": limit}
    assert panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "line"


def test_descriptions_name_settings_and_alerts_that_exist() -> None:
    text = " ".join(panel["description"] for panel in panels())

    assert set(re.findall(r"KOE_[A-Z_]+", text)) <= {env_name(field) for field in Settings.__struct_fields__}
    assert set(re.findall(r"Koe[A-Z]\w+", text)) <= set(alerts())


def test_grafana_is_told_where_the_dashboard_and_prometheus_are() -> None:
    provisioning = DEPLOY / "grafana/provisioning"
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())["datasources"]
    [folder] = yaml.safe_load((provisioning / "dashboards/koe.yaml").read_text())["providers"]
    scraping = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())

    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    assert source["jsonData"]["timeInterval"] == scraping["global"]["scrape_interval"]
    assert folder["options"]["path"].rpartition("/")[2] == DASHBOARD.parent.name
