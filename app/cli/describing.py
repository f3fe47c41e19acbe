"""`koe openapi`: the one command that needs the web framework and is no server, so it has a module of its own."""

import json

import click

from app.asgi import create_description
from app.cli.help import examples
from app.cli.with_settings import with_settings
from app.core.settings import Settings
from app.core.speech.voices import load_catalogue
from app.core.storage.embedded_server import EmbeddedError


@click.command(epilog=examples("koe openapi > openapi.json"))
@with_settings(EmbeddedError)
def openapi(settings: Settings) -> None:
    """Print the schema that the API serves."""
    whole = create_description(settings, load_catalogue(settings.voices_file)).whole
    click.echo(json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False))
