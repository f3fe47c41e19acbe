"""Kokoro's own files for tests and benchmarks, found as a worker finds them. Nothing is downloaded."""

from collections.abc import Mapping

from app.core.settings import read_settings
from app.core.speech.voices import load_catalogue
from workers.engines.kokoro.checkpoint import CheckpointFiles, find_checkpoint


def find_real(environ: Mapping[str, str]) -> CheckpointFiles:
    """Returns the files in the places that the settings in `environ` name. Raises MissingFile with the remedy."""
    settings = read_settings(environ)
    return find_checkpoint(settings.model_dir, load_catalogue(settings.voices_file).voices, settings.fetched_model)
