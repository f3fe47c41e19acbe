"""Messages name commands only through the table of remedies, and each of these commands exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.command_lines import parse
from tests.promises.guides import ROOT

TABLE = {"app/core/host/installation.py", "app/core/host/remedies.py"}
COMMAND_LINE = "app/cli/"
"""Help texts stand here: they name `koe` without its path."""
SOURCES = sorted(path for side in ("app", "workers") for path in (ROOT / side).rglob("*.py"))


def texts(path: Path) -> Iterator[str]:
    """Yields the strings of a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    yield from (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said
    )


def remedies_of(path: Path) -> Iterator[str]:
    """Yields the arguments of `remedies.koe(…)`; a part that is computed is a name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "remedies.koe":
            for argument in node.args[:1]:
                pieces = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                yield "".join(str(piece.value) if isinstance(piece, ast.Constant) else "X" for piece in pieces)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_message_names_a_command_by_itself() -> None:
    found = {
        (name_of(path), text)
        for path in SOURCES
        if name_of(path) not in TABLE and not name_of(path).startswith(COMMAND_LINE)
        for text in texts(path)
        if re.search(
            r"pip install|`make |deploy/|[Rr]un `koe|`koe (fetch|doctor|worker|serve)` (starts|says|gets|downloads)", text
        )
    }
    assert found == set()


def test_every_command_of_a_remedy_exists() -> None:
    commands = {line for path in SOURCES for line in remedies_of(path)}

    assert len(commands) > 5
    for line in commands:
        parse(line.split())


def test_an_unknown_command_is_found() -> None:
    with pytest.raises(click.UsageError):
        parse(["fetsch"])
    with pytest.raises(click.UsageError):
        parse(["fetch", "--form", "hub"])
