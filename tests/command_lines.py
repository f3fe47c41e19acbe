"""Command lines of `koe`, parsed without being carried out."""

import click

from app.cli.commands import koe


def parse(words: list[str]) -> None:
    """Parses what follows `koe`. Raises click's UsageError if there is no such command or option."""
    command: click.Command = koe
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, found, words = command.resolve_command(click.Context(command), words)
        assert found is not None
        command = found
    parser = command.make_parser(click.Context(command))
    parser.parse_args(list(words))
