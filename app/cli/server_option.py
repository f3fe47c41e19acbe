"""The options `--url` and `--key` of the commands that call a server."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from app.cli.client import Server, ServerError
from app.cli.with_settings import with_settings
from app.core.settings import Settings


def with_server(command: Callable[..., None]) -> Callable[..., None]:
    """Passes the server of --url and --key to the command."""

    @click.option("--url", help="URL of the server; by default that of KOE_HOST and KOE_PORT.")
    @click.option("--key", envvar="OPENAI_API_KEY", help="API key (OPENAI_API_KEY).")
    @with_settings(ServerError)
    @wraps(command)
    def run(settings: Settings, /, *args: Any, url: str | None, key: str | None, **kwargs: Any) -> None:
        command(Server(url or settings.own_url, key), *args, **kwargs)

    return run
