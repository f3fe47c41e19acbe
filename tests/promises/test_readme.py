"""The README tells the truth about what can be checked by a machine: settings and commands."""

import click

from app.cli.commands import koe
from app.core import request_limits
from app.core.settings import Settings
from tests.promises.settings_table import GUIDE, ROOT, is_row, setting_rows

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_the_settings() -> None:
    assert [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if is_row(line)] == setting_rows()


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
