"""The commands that have a running server speak: say, voices, phonemize."""

from pathlib import Path

import click

from app.cli import client
from app.cli.help import AS_JSON, examples
from app.cli.server_option import with_server
from app.cli.texts import Number, Text, text_of
from app.core.host.terminal import echo_json, echo_table
from app.core.speech.formats import FORMATS
from app.core.speech.voices import DEFAULT_VOICE


@click.command(
    epilog=examples(
        'koe say "Hello" -o hello.mp3',
        'koe say "Hello" --voice af_heart+bf_emma --speed 1.2',
        "koe say - -o news.wav < news.txt",
    )
)
@click.argument("text", type=Text())
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; its extension decides the format."
)
@click.option("--voice", type=Text(), default=DEFAULT_VOICE, show_default=True, help="A name of `koe voices`, or a blend.")
@click.option("--model", type=Text(), default="tts-1", show_default=True)
@click.option("--speed", type=Number(), default=1.0, show_default=True)
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), help="Format, instead of the file's extension.")
@with_server
def say(
    server: client.Server,
    text: str,
    output: Path | None,
    voice: str,
    model: str,
    speed: float,
    format_name: str | None,
) -> None:
    """Say TEXT: play it, or write it with -o. `-` reads the text from standard input."""
    asked = {"model": model, "voice": voice, "speed": speed, "input": text_of(text)}
    if output is None:
        client.play(server, asked)
        return
    asked["response_format"] = format_name or client.format_of(output)
    client.check_writable(output)
    seconds = client.save(server, asked, output)
    click.echo(f"{output}: first audio after {seconds.first:.2f} s, all of it after {seconds.total:.2f} s", err=True)


@click.command(epilog=examples("koe voices", "koe voices --json | jq -r '.[].id'"))
@AS_JSON
@with_server
def voices(server: client.Server, as_json: bool) -> None:
    """List the voices of the running server."""
    voices = server.voices()
    if as_json:
        echo_json(voices)
        return
    columns = ("id", "language", "gender", "grade")
    rows = [[*(str(voice.get(column) or "") for column in columns), ", ".join(voice.get("aliases") or [])] for voice in voices]
    echo_table(["voice", "language", "gender", "grade", "also answers to"], rows)


@click.command(
    epilog=examples('koe phonemize "Hello, world."', 'koe phonemize "Bonjour." --language fr', "koe phonemize - < text.txt")
)
@click.argument("text", type=Text())
@click.option("--voice", type=Text(), help=f"A name of `koe voices`; {DEFAULT_VOICE}, if no language is given either.")
@click.option("--language", type=Text(), help="BCP 47 tag or Kokoro's letter; by default the voice's own.")
@click.option("--model", type=Text(), help="By default the best engine that is loaded.")
@with_server
def phonemize(server: client.Server, text: str, voice: str | None, language: str | None, model: str | None) -> None:
    """Print the phonemes of TEXT, a line for each segment. `-` reads the text from standard input."""
    asked = {"voice": voice or (None if language else DEFAULT_VOICE), "language": language, "model": model}
    asked["input"] = text_of(text)
    for phonemes in server.phonemes(asked):
        click.echo(phonemes)
