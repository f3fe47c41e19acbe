"""Command lines of `koe`, parsed without being carried out."""

import click

from app.cli.commands import koe


def parse(words: list[str]) -> None:
    """Parses what follows `koe`. Raises click's UsageError if there is no such command or option."""
    command: click.Command = koe
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, found, words = command.resolve_command(_context(command), words)
        assert found is not None
        command = found
    command.make_parser(_context(command)).parse_args(list(words))


def _context(command: click.Command) -> click.Context:
    """Returns a context like that of `koe`: a command keeps the option for help that it had first."""
    return click.Context(command, **koe.context_settings)
