"""The README tells the truth about what can be checked by a machine: settings, floor plan, commands."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import click

from app.cli.commands import koe
from app.core import request_limits
from app.core.settings import Bytes, Settings, env_name

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def setting_docs() -> dict[str, str]:
    """The line under each field of Settings, in order."""
    tree = ast.parse((ROOT / "app/core/settings.py").read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    docs = {}
    for field, doc in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
            docs[ast.unparse(field.target)] = str(doc.value.value)
    return {name: docs[name] for name in Settings.__struct_fields__}


def setting_rows() -> list[str]:
    """The README's table as it should be."""
    rows = []
    for field, doc in setting_docs().items():
        default = "the user's data folder" if field == "data" else show(getattr(Settings(), field))
        rows.append(f"| `{env_name(field)}` | {default} | {doc} |")
    return rows


def show(default: object) -> str:
    """A default as the table has it."""
    if default is None or default in ((), ""):
        return "none"
    if isinstance(default, Bytes):
        return f"{default // 1024**2} MiB"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def floor_plan() -> list[str]:
    """Every module and its docstring's first sentence, as the README's tree should show them."""
    lines = []
    for package in ("app", "workers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            if doc and path.name != "__init__.py":
                first = re.split(r"(?<=[.])\s", " ".join(doc.split("\n\n")[0].split()))[0].rstrip(".")
                lines.append(f"{path.relative_to(ROOT)!s:38} {first}")
    return lines


def test_the_table_of_settings_is_the_settings() -> None:
    assert [line for line in README.splitlines() if line.startswith("| `KOE_")] == setting_rows()


def test_the_floor_plan_is_the_house() -> None:
    plan = README.split("## How it is made")[1].split("```")[1].strip().splitlines()

    assert [line.rstrip() for line in plan] == [line.rstrip() for line in floor_plan()]


def test_every_command_is_told() -> None:
    hidden = {"has-voice", "openapi", "redis-url"}

    for name, command in koe.commands.items():
        assert isinstance(command, click.Command)
        assert name in hidden or f"`koe {name}" in README


def test_the_limits_of_a_connection_are_those_that_hold() -> None:
    table = README.split("### What a connection may cost")[1].split("\n\n")[1]

    for limit in (
        f"{request_limits.HEAD_BYTES // 1024} KiB and {request_limits.HEADERS} headers",
        f"| {request_limits.HEAD_SECONDS:g} s from",
        f"| {request_limits.BODY_SECONDS:g} s from",
        f"| {request_limits.BODY_BYTES // 1024**2} MiB of body; {request_limits.JOB_BODY_BYTES // 1024**2} MiB for a job",
        f"| {request_limits.REQUESTS_AHEAD} requests",
        f"`KOE_MAX_CONNECTIONS` ({Settings().max_connections:,})",
        f"`KOE_KEEP_ALIVE` ({Settings().keep_alive:g} s)",
    ):
        assert limit in table
    assert request_limits.SPARE_FILES == 0.25
