"""Draws the panels of the dashboard as pictures, one for each row of panels: with their units, legends and thresholds.

Why: where Grafana cannot run, a person can still see whether each panel is readable and says what it should.
"""

import re
import textwrap
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import dates
from matplotlib import pyplot as plt

from tests.deploy.prometheus_server import Series

Drawn = dict[str, list[tuple[str, Series]]]
"""Title of a panel → its series, each with its name in the legend."""

_COLORS: Final = {
    "green": "#56a64b",
    "yellow": "#e0b400",
    "orange": "#ff780a",
    "red": "#e02f44",
    "blue": "#3274d9",
    "purple": "#a352cc",
}
_CELL: Final = (0.62, 0.34)
"""Inches of one cell of Grafana's grid."""
_PREFIXES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def draw(dashboard: dict[str, Any], drawn: Drawn, folder: Path) -> list[Path]:
    """Draws every row of the dashboard. Returns the pictures."""
    mpl.use("Agg")
    plt.rcParams.update({"font.size": 8, "axes.titlesize": 9, "axes.grid": True, "grid.alpha": 0.3})
    paths: list[Path] = []
    for title, panels in rows_of(dashboard):
        path = folder / f"{len(paths):02} {title.partition(':')[0]}.png"
        _draw_row(title, panels, drawn, path)
        paths.append(path)
    return paths


def rows_of(dashboard: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Returns the heading of each row, and its panels."""
    rows: list[tuple[str, list[dict[str, Any]]]] = []
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            rows.append((panel["title"], []))
        else:
            rows[-1][1].append(panel)
    return rows


def _draw_row(title: str, panels: list[dict[str, Any]], drawn: Drawn, path: Path) -> None:
    lines = [list(line) for _, line in groupby(panels, key=lambda panel: panel["gridPos"]["y"])]
    height = sum(line[0]["gridPos"]["h"] for line in lines)
    figure = plt.figure(figsize=(24 * _CELL[0], height * _CELL[1] + 0.4), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    grid = figure.add_gridspec(len(lines), 24, height_ratios=[line[0]["gridPos"]["h"] for line in lines])
    for number, line in enumerate(lines):
        for panel in line:
            place = panel["gridPos"]
            axes = figure.add_subplot(grid[number, place["x"] : place["x"] + place["w"]])
            _draw_panel(axes, panel, [named for named in drawn[panel["title"]] if named[1].points])
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_panel(axes: Any, panel: dict[str, Any], series: list[tuple[str, Series]]) -> None:
    axes.set_title(panel["title"], loc="left", fontweight="bold")
    if panel["type"] == "stat":
        _draw_stat(axes, panel, series)
    elif panel["type"] == "state-timeline":
        _draw_states(axes, panel, series)
    else:
        _draw_lines(axes, panel, series)


def _draw_stat(axes: Any, panel: dict[str, Any], series: list[tuple[str, Series]]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    axes.set_axis_off()
    for number, (name, one) in enumerate(series):
        value = one.points[-1][1]
        text = name if panel["options"]["textMode"] == "name" else _mapped(defaults, value) or amount(value, defaults["unit"])
        axes.text(0.5, 0.6 - 0.2 * number, text, ha="center", va="center", fontsize=15, color=_COLORS[color_at(panel, value)])
    if not series:
        axes.text(0.5, 0.6, defaults["noValue"], ha="center", fontsize=15, color="gray")
    description = textwrap.fill(panel["description"], 45)
    axes.text(0.5, 0.0, description, ha="center", fontsize=5.5, color="gray", transform=axes.transAxes)


def _draw_states(axes: Any, panel: dict[str, Any], series: list[tuple[str, Series]]) -> None:
    for height, (_, one) in enumerate(series):
        for time, value in one.points:
            axes.barh(height, 1.05 / 86_400, left=_day(time), color=_COLORS[color_at(panel, value)], height=0.8)
    axes.set_yticks(range(len(series)), [textwrap.shorten(name, 40) for name, _ in series])
    _time_axis(axes)


def _draw_lines(axes: Any, panel: dict[str, Any], series: list[tuple[str, Series]]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    if defaults["custom"]["stacking"]["mode"] == "normal" and series:
        _stack(axes, panel, series)
    else:
        axes.set_prop_cycle(color=_fixed_colors(panel, series) or plt.rcParams["axes.prop_cycle"].by_key()["color"])
        for name, one in series:
            axes.plot([_day(time) for time, _ in one.points], [value for _, value in one.points], lw=1.2, label=name)
    axes.set_ylim(bottom=defaults.get("min"), top=defaults.get("max"))
    if defaults["custom"]["thresholdsStyle"]["mode"] == "line":
        for step in defaults["thresholds"]["steps"][1:]:
            axes.axhline(step["value"], color=_COLORS["red"], ls="--", lw=0.8)
    axes.yaxis.set_major_formatter(lambda value, _: amount(value, defaults["unit"]))
    _time_axis(axes)
    axes.legend(fontsize=6, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.12), frameon=False)


def _stack(axes: Any, panel: dict[str, Any], series: list[tuple[str, Series]]) -> None:
    times = sorted({time for _, one in series for time, _ in one.points})
    heights = [[dict(one.points).get(time, 0.0) for time in times] for _, one in series]
    colors = _fixed_colors(panel, series)
    axes.stackplot([_day(time) for time in times], heights, labels=[name for name, _ in series], colors=colors, alpha=0.75)


def _fixed_colors(panel: dict[str, Any], series: list[tuple[str, Series]]) -> list[str] | None:
    overrides = panel["fieldConfig"]["overrides"]
    fixed = [(rule["matcher"]["options"], rule["properties"][0]["value"]["fixedColor"]) for rule in overrides]
    if not fixed:
        return None
    return [_COLORS[next((color for pattern, color in fixed if re.fullmatch(pattern, name)), "blue")] for name, _ in series]


def _time_axis(axes: Any) -> None:
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M:%S"))
    axes.xaxis.set_major_locator(dates.AutoDateLocator(maxticks=6))


def _day(time: float) -> float:
    return time / 86_400


def color_at(panel: dict[str, Any], value: float) -> str:
    """Returns the colour of a value by the thresholds of its panel."""
    color = "green"
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            color = step["color"]
    return color


def _mapped(defaults: dict[str, Any], value: float) -> str | None:
    for mapping in defaults.get("mappings", []):
        if f"{value:g}" in mapping["options"]:
            text: str = mapping["options"][f"{value:g}"]["text"]
            return text
    return None


def amount(value: float, unit: str) -> str:
    """Writes a value as Grafana does with this unit: 0.25 and `s` is "250 ms"."""
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{1000 * value:.3g} ms"
    if unit == "s" and value >= 120:
        return f"{value / 60:.3g} min"
    scale, prefix = next(((scale, prefix) for scale, prefix in _PREFIXES if abs(value) >= scale), (1.0, ""))
    suffix = {"decbytes": "B", "reqps": "/s", "cpm": "/min", "cps": "/s", "s": "s"}.get(unit, "")
    return f"{value / scale:.3g} {prefix}{suffix}".strip()
