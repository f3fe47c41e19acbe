"""`python -m workers.fetch`, which `koe fetch` runs: downloads Kokoro's files and spaCy's English model, and verifies them.

Nothing downloads later. Why through huggingface_hub: it resumes what was broken off, keeps its own cache that other programs
share, and shows a bar. Why spaCy's model through pip: it is a Python package, though of no package index, and pip checks its
digest and shows a bar.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import click
import httpx
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from app.core.settings import Settings, SettingsError, read_settings
from app.core.voices import load_catalogue
from workers.engines.kokoro.names import CONFIG, REPOSITORY, WEIGHTS
from workers.text import tagger

WEIGHTS_SHA256: Final = "496dba118d1a58f5f3db2efc88dbdc216e0483fc89fe6e47ee1f2c53f18ad1e4"
"""Of kokoro-v1_0.pth, 327,212,226 bytes."""

TAGGER_URL: Final = (
    f"https://github.com/explosion/spacy-models/releases/download/{tagger.NAME}-3.8.0/{tagger.NAME}-3.8.0-py3-none-any.whl"
    "#sha256=1932429db727d4bff3deed6b34cfc05df17794f4a52eeb26cf8928f7c1a0fb85"
)
"""The model for spaCy 3.8, which Misaki's English takes its parts of speech from."""

_READ_BYTES: Final = 1024**2


def fetch(settings: Settings) -> Path:
    """Downloads what is not there yet, into `KOE_MODEL_DIR` or else the Hub's cache; the folder that holds the weights.

    Raises click.ClickException, with the remedy, when the Hub cannot be reached or a file is not what it should be.
    """
    voice_ids = load_catalogue(settings.voices_file).voices
    weights = _download(WEIGHTS, settings.model_dir)
    for name in (CONFIG, *(f"voices/{voice_id}.pt" for voice_id in voice_ids)):
        _download(name, settings.model_dir)
    if _sha256(weights) != WEIGHTS_SHA256:
        weights.unlink()
        raise click.ClickException(f"{weights} was not what it should be and is deleted: run `koe fetch` again.")
    return weights.parent


def fetch_tagger(url: str = TAGGER_URL) -> str:
    """Installs spaCy's English model, unless it is there; what is to be said of it.

    English is spoken without it too, so that it cannot be had is no error.
    """
    if tagger.is_installed():
        return f"{tagger.NAME} is installed."
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--disable-pip-version-check", f"{tagger.NAME} @ {url}"]
    if subprocess.run(command, check=False).returncode == 0:
        return f"{tagger.NAME} is installed."
    return (
        f"! {tagger.NAME} could not be had: English is spoken without it, and homographs such as 'read' may be misread. Bring "
        f"the file {url.partition('#')[0]} from elsewhere, and run `pip install --no-deps` with it."
    )


def _download(name: str, model_dir: Path | None) -> Path:
    try:
        return Path(hf_hub_download(REPOSITORY, name, local_dir=model_dir))
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, httpx.HTTPError, OSError) as error:
        raise click.ClickException(
            f"{name} could not be had from the Hugging Face Hub ({type(error).__name__}). Run `koe fetch` on a machine that "
            f"reaches it, with KOE_MODEL_DIR set to a folder, and bring that folder here."
        ) from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file, click.progressbar(length=path.stat().st_size, label="verifying") as bar:
        while block := file.read(_READ_BYTES):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


@click.command()
def main() -> None:
    """Download Kokoro's files and spaCy's English model, and verify them."""
    try:
        folder = fetch(read_settings(os.environ))
    except (SettingsError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(fetch_tagger())
    click.echo(f"Kokoro's files are in {folder}. Start the workers again to use them.")


if __name__ == "__main__":
    main()
