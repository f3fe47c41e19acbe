"""Text is printed as it is: markup in it is not interpreted, and no id is cut."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli import doctor
from app.core.host.check import Check
from app.core.host.console import plain_console
from app.core.host.terminal import echo_table
from app.core.settings import Settings

ROOT = Path(__file__).parents[4]
FOREIGN = st.one_of(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40),
    st.sampled_from(["koe[worker]", "koe[ja]", "[bold]", "[/]", "[/red]", ":warning:", "[link=x]", "\\[a]", "[#ff0000]"]),
)
ID = "job_0123456789abcdef01234567"
TABLE = f"""
from app.core.host.terminal import echo_table
echo_table(["job", "status", "title"], [["{ID}", "in_progress", "A long title of many words " * 9]])
"""


@settings(max_examples=200, deadline=None)
@given(name=FOREIGN, detail=FOREIGN, remedy=FOREIGN)
def test_the_doctor_shows_every_word_of_a_check(name: str, detail: str, remedy: str) -> None:
    shown = io.StringIO()
    check = Check(name=name, is_well=False, detail=detail, remedy=remedy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "_queue", lambda url: check)
        patch.setattr(doctor, "_speaking_side", lambda settings: [])
        doctor.show(doctor.diagnose(Settings(), "redis://elsewhere"), plain_console(shown))

    assert f"{name}: {detail}\n" in shown.getvalue()
    assert f"{remedy}\n" in shown.getvalue()


@settings(max_examples=100, deadline=None)
@given(title=FOREIGN)
def test_a_table_in_a_pipe_cuts_nothing(title: str) -> None:
    @click.command()
    def show() -> None:
        echo_table(["job", "title"], [[ID, title * 20], ["job_2", ""]])

    lines = CliRunner().invoke(show).stdout.split("\n")

    assert lines[1] == f"{ID}  {title * 20}".rstrip()
    assert lines[2] == "job_2"


def test_characters_that_would_move_the_cursor_are_removed() -> None:
    @click.command()
    def show() -> None:
        echo_table(["job", "title"], [[ID, "one\x1b[2Jtwo\nthree"]])

    assert CliRunner().invoke(show).stdout.splitlines()[1] == f"{ID}  one [2Jtwo three"


@pytest.mark.parametrize("columns", [20, 40, 60, 80])
def test_on_a_narrow_terminal_an_id_is_whole_and_the_title_cut(columns: int) -> None:
    ours, theirs = pty.openpty()
    environ = os.environ | {"COLUMNS": str(columns), "TERM": "dumb", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", TABLE], env=environ, stdout=theirs, check=True)
    os.close(theirs)
    shown = b""
    while not shown.endswith(b"\n") or shown.count(b"\n") < 2:
        shown += os.read(ours, 4096)
    os.close(ours)

    row = shown.decode().splitlines()[1]
    assert row.startswith(ID)
    if columns > 60:
        assert len(row) <= columns


def test_nowhere_is_a_console_made_that_reads_markup() -> None:
    made = [path for package in ("app", "workers") for path in (ROOT / package).rglob("*.py") if "Console(" in path.read_text()]
    assert [path.name for path in made] == ["console.py"]
