"""A group of commands whose modules are imported when a command is called.

Why: the modules import what their commands need, from Litestar to Rich. `koe --version` needs none of it, and a person who asks
for help should not wait for a server's imports.
"""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import click
import msgspec
from typing_extensions import override


class Entry(msgspec.Struct, frozen=True):
    """A command that is not imported yet."""

    load: Callable[[], ModuleType]
    """Imports the module of the command."""
    attribute: str
    """The command's name in that module."""
    summary: str = ""
    """Its line in the help of the group; a hidden command has none."""

    @property
    def command(self) -> click.Command:
        """The command, imported now."""
        command: click.Command = getattr(self.load(), self.attribute)
        return command


class LazyGroup(click.Group):
    """Lists its commands in sections, in the order of the table."""

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Entry]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sections = sections
        self.commands = dict.fromkeys(self.entries, click.Command(None))  # click proposes these names for a misspelt one

    @property
    def entries(self) -> dict[str, Entry]:
        """All commands by name."""
        return {name: entry for section in self._sections.values() for name, entry in section.items()}

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        return entry.command if entry else None

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in self._sections.items():
            rows = [(name, entry.summary) for name, entry in section.items() if entry.summary]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(_aligned(rows, self.entries))


def _aligned(rows: Sequence[tuple[str, str]], names: Mapping[str, Entry]) -> list[tuple[str, str]]:
    """The rows with names of one width, so that all sections align."""
    width = max(map(len, names))
    return [(name.ljust(width), summary) for name, summary in rows]
