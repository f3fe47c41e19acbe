"""`koe lexicon`: lists, adds and removes the words that a user has given phonemes on a running server."""

from typing import Final
from urllib.parse import quote

import click

from app.cli import client
from app.cli.help import AS_JSON, examples
from app.cli.server_option import with_server
from app.cli.texts import Text
from app.core.host.terminal import echo_json, echo_table

_PATH: Final = "/v1/audio/lexicon"
_LANGUAGE: Final = click.option(
    "--language", type=Text(), default="*", show_default=True, help="BCP 47 tag, such as en or en-US; * is all languages."
)


@click.command("list", epilog=examples("koe lexicon list", "koe lexicon list --json | jq -r '.[].word'"))
@AS_JSON
@with_server
def list_(server: client.Server, as_json: bool) -> None:
    """List your words, sorted."""
    words = server.ask_for("data", "GET", _PATH)
    if as_json:
        echo_json(words)
        return
    echo_table(["word", "phonemes", "language"], [[word["word"], word["phonemes"], word["language"]] for word in words])


@click.command(epilog=examples("koe lexicon add Koe kˈOA", "koe lexicon add schedule ʃˈɛdjuːl --language en-GB"))
@click.argument("word", type=Text())
@click.argument("phonemes", type=Text())
@_LANGUAGE
@with_server
def add(server: client.Server, word: str, phonemes: str, language: str) -> None:
    """Give WORD its PHONEMES, in Misaki's alphabet. `koe phonemize` shows words in it."""
    server.ask("PUT", _PATH, json={"word": word, "phonemes": phonemes, "language": language})


@click.command(epilog=examples("koe lexicon remove Koe", "koe lexicon remove schedule --language en-GB"))
@click.argument("word", type=Text())
@_LANGUAGE
@with_server
def remove(server: client.Server, word: str, language: str) -> None:
    """Remove WORD."""
    server.ask("DELETE", f"{_PATH}/{quote(language, safe='')}/{quote(word, safe='')}")
