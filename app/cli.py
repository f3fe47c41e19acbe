"""The `koe` command: serve, api, worker, say, voices, doctor, fetch, openapi."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec

import click
import uvicorn
from rich.console import Console
from rich.table import Table

from app import __version__, client, doctor
from app.asgi import create_app, create_litestar
from app.core.embedded import EmbeddedError, embedded_url
from app.core.formats import FORMATS
from app.core.logs import configure_logs
from app.core.parent import end_with_parent
from app.core.settings import Settings, SettingsError, read_settings
from app.serve import Supervisor

_P = ParamSpec("_P")

_WITH_PARENT: Final = click.option("--with-parent", is_flag=True, hidden=True, help="End with the process that started this.")


def _with_settings(command: Callable[Concatenate[Settings, _P], None]) -> Callable[_P, None]:
    """Reads the settings and hands them to the command; what is wrong with them, or found wrong by it, becomes one line."""

    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            settings = read_settings(os.environ)
            configure_logs(settings.log_format)
            command(settings, *args, **kwargs)
        except (SettingsError, EmbeddedError, ValueError, OSError, client.ServerError) as error:
            raise click.ClickException(str(error)) from error

    return run


def _redis_url(settings: Settings) -> str:
    return settings.redis_url.reveal() if settings.redis_url else embedded_url(settings.data)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="koe")
def koe() -> None:
    """Koe: OpenAI's speech API on your own machines."""


@koe.command()
@click.option("--host", help="Address to listen on (KOE_HOST).")
@click.option("--port", type=int, help="Port to listen on (KOE_PORT).")
@click.option("--workers", "n_workers", type=click.IntRange(1), default=1, show_default=True, help="Worker processes.")
@_with_settings
def serve(settings: Settings, host: str | None, port: int | None, n_workers: int) -> None:
    """Everything in one: the queue if need be, workers and the API."""
    settings = _with_free_port(_override(settings, host=host, port=port))
    Supervisor(settings, n_workers=n_workers).run(lambda: doctor.welcome(settings, Console(stderr=True)))


@koe.command()
@_WITH_PARENT
@_with_settings
def api(settings: Settings, with_parent: bool) -> None:
    """The API alone; `koe worker` speaks for it."""
    if with_parent:
        end_with_parent()
    settings = _with_free_port(settings)
    uvicorn.run(
        create_app(settings, _redis_url(settings)),
        host=settings.host,
        port=settings.port,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
    )


@koe.command()
def worker() -> None:
    """One worker; start as many as you like on the same KOE_REDIS_URL."""
    os.execv(sys.executable, [sys.executable, "-m", "workers"])


@koe.command()
def fetch() -> None:
    """Download Kokoro's files and verify them."""
    raise SystemExit(subprocess.call([sys.executable, "-m", "workers.fetch"]))


@koe.command()
@click.argument("text")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; its name decides the format."
)
@click.option("--voice", default="alloy", show_default=True, help="A name of `koe voices`, or a blend.")
@click.option("--model", default="tts-1", show_default=True)
@click.option("--speed", type=float, default=1.0, show_default=True)
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), help="Instead of the file's ending.")
@click.option("--url", help="The server; by default the one that KOE_HOST and KOE_PORT name.")
@click.option("--key", envvar="OPENAI_API_KEY", help="API key (OPENAI_API_KEY).")
@_with_settings
def say(
    settings: Settings,
    text: str,
    output: Path | None,
    voice: str,
    model: str,
    speed: float,
    format_name: str | None,
    url: str | None,
    key: str | None,
) -> None:
    """Say TEXT: play it, or write it with -o. `-` reads the text from standard input."""
    server = client.Server(url or settings.own_url, key)
    asked = {"model": model, "voice": voice, "speed": speed, "input": sys.stdin.read() if text == "-" else text}
    if output is None:
        client.play(server, asked)
        return
    asked["response_format"] = format_name or client.format_of(output)
    seconds = client.save(server, asked, output)
    click.echo(f"{output}: first audio after {seconds.first:.2f} s, all of it after {seconds.total:.2f} s", err=True)


@koe.command()
@click.option("--url", help="The server; by default the one that KOE_HOST and KOE_PORT name.")
@_with_settings
def voices(settings: Settings, url: str | None) -> None:
    """List the voices of the running server."""
    table = Table("voice", "language", "gender", "grade", "also answers to", box=None, header_style="bold")
    for voice in client.Server(url or settings.own_url, None).voices():
        table.add_row(voice["id"], voice["language"], voice["gender"], voice["grade"], ", ".join(voice["aliases"]))
    Console().print(table)


@koe.command("doctor")
@_with_settings
def doctor_(settings: Settings) -> None:
    """What is here, what is missing, and the command that mends it."""
    if not doctor.examine(settings, _redis_url(settings), Console()):
        raise SystemExit(1)


@koe.command("redis-url")
@_with_settings
def redis_url(settings: Settings) -> None:
    """Print where the queue is, for rq-dashboard and the like."""
    click.echo(_redis_url(settings))


@koe.command()
@_with_settings
def openapi(settings: Settings) -> None:
    """Print the schema that the API serves."""
    schema = create_litestar(settings, "redis://127.0.0.1").openapi_schema.to_schema()
    click.echo(json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False))


def _override(settings: Settings, **given: Any) -> Settings:
    fields = {field: getattr(settings, field) for field in Settings.__struct_fields__}
    return Settings(**(fields | {name: value for name, value in given.items() if value is not None}))


def _with_free_port(settings: Settings) -> Settings:
    """The settings, with a port in the place of 0. Raises SettingsError when the API could not listen there."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.create_server((settings.host, settings.port), family=family) as listener:
            return _override(settings, port=listener.getsockname()[1])
    except OSError as error:
        raise SettingsError(
            f"Koe cannot listen on {settings.host}:{settings.port} ({error.strerror}). Set KOE_HOST and KOE_PORT to an address "
            "that is free."
        ) from error


def main() -> None:
    """The console script."""
    koe()


if __name__ == "__main__":
    main()
