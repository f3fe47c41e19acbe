"""`python -m tests.deploy.values_table`: writes the table of values of the chart, and copies the alerts into the chart.

Why a copy: Helm reads no file outside the folder of a chart.
"""

from typing import Any, Final

import yaml

from tests.deploy.charts import CHART, rows
from tests.promises.guides import ROOT

README: Final = CHART / "README.md"
ALERTS: Final = ROOT / "deploy/prometheus/alerts.yaml"
COPY: Final = CHART / "files/alerts.yaml"
_LONGEST: Final = 40


def table() -> list[str]:
    """The rows of all values."""
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    return [f"| `{name}` | {_show(_find(values, name))} | {comment} |" for name, comment in rows()]


def is_row(line: str) -> bool:
    """Whether the line is a row of the table."""
    return line.startswith("| `") and line.count("|") == 4


def _find(values: Any, name: str) -> Any:
    for key in name.split("."):
        values = values[key]
    return values


def _show(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n").removesuffix("\n...")
    if value in ("", None, [], {}):
        return "none"
    return f"`{text}`" if len(text) <= _LONGEST else "see the file"


def write() -> None:
    """Writes both."""
    lines = README.read_text("utf-8").split("\n")
    first = next(number for number, line in enumerate(lines) if is_row(line))
    others = [line for line in lines if not is_row(line)]
    README.write_text("\n".join([*others[:first], *table(), *others[first:]]), "utf-8")
    COPY.write_bytes(ALERTS.read_bytes())


if __name__ == "__main__":
    write()
