"""`koe mcp`: a running server's speech for assistants.

Why the import stands inside a function: the package `mcp` is optional, and the command's help needs none of it.
"""

import sys

import click

from app.cli import client
from app.cli.help import examples
from app.cli.server_option import with_server
from app.core.host import remedies


@click.command(epilog=examples("koe mcp", "koe mcp --url http://koe.example:8000"))
@with_server
def mcp(server: client.Server) -> None:
    """Give an assistant the tools `speak` and `list_voices`, over MCP on standard input and output.

    An assistant starts this command itself: give it the command in its settings.
    """
    try:
        from app.cli.mcp_server import serve
    except ImportError as error:
        raise client.ServerError(f"The package mcp is not installed: run {remedies.install('mcp')}.") from error
    if sys.stdin.isatty():
        click.echo("Koe waits for an assistant that speaks MCP on standard input. Ctrl-C ends it.", err=True)
    serve(server)
