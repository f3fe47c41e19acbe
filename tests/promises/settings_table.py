"""`python -m tests.promises.settings_table`: writes the tables of settings from the docstrings in `app/core/settings.py`.

The operator's guide has all settings. The README has the settings that people change most: only the rows that it has are
rewritten.
"""

import ast
from itertools import pairwise
from pathlib import Path

from app.core.settings import Bytes, Settings, env_name
from tests.promises.guides import OPERATORS, README, ROOT


def is_row(line: str) -> bool:
    """Whether the line is a row of the table."""
    return line.startswith("| `KOE_") and line.count("|") == 4


def setting_docs() -> dict[str, str]:
    """Returns the docstring of each field of Settings, in order."""
    tree = ast.parse((ROOT / "app/core/settings.py").read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    docs = {}
    for field, doc in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
            docs[ast.unparse(field.target)] = str(doc.value.value)
    return {name: docs[name] for name in Settings.__struct_fields__}


def setting_rows() -> list[str]:
    """Returns the rows of the complete table."""
    rows = []
    for field, doc in setting_docs().items():
        default = "the user's data folder" if field == "data" else _show(getattr(Settings(), field))
        rows.append(f"| `{env_name(field)}` | {default} | {doc} |")
    return rows


def _show(default: object) -> str:
    """Formats a default for the table."""
    if default is None or default in ((), ""):
        return "none"
    if isinstance(default, Bytes):
        return f"{default // 1024**2} MiB"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def rows_of(page: Path) -> list[str]:
    """Returns the rows that a page has."""
    return [line for line in page.read_text(encoding="utf-8").splitlines() if is_row(line)]


def rows_for(page: Path) -> list[str]:
    """Returns the rows that a page should have."""
    if page == OPERATORS:
        return setting_rows()
    row_by_name = {_name(row): row for row in setting_rows()}
    return [row_by_name[name] for name in map(_name, rows_of(page)) if name in row_by_name]


def _name(row: str) -> str:
    return row.split("`")[1]


def write(page: Path) -> None:
    """Replaces the table in a page."""
    lines = page.read_text(encoding="utf-8").split("\n")
    first = next(number for number, line in enumerate(lines) if is_row(line))
    others = [line for line in lines if not is_row(line)]
    page.write_text("\n".join([*others[:first], *rows_for(page), *others[first:]]), encoding="utf-8")


if __name__ == "__main__":
    write(OPERATORS)
    write(README)
