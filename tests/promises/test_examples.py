"""The examples in the guides run unchanged, except for the server's address."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.speech.lexicon import read_lexicon
from app.core.speech.voices import load_catalogue
from tests.harness import Harness, open_harness
from tests.promises.guides import CLIENTS, LIVE, MOVING, OPERATORS, README, examples
from workers.engines.tone import ToneEngine

OF_OTHER_PACKAGES = ("livekit", "pipecat")
"""Packages whose examples are run by `make check-clients`."""
EXAMPLES = [
    code
    for page in (README, CLIENTS, LIVE, MOVING)
    for code in examples(page, "python")
    if not any(package in code for package in OF_OTHER_PACKAGES)
]


@pytest.fixture(scope="module")
def served(short_folder: Path) -> Iterator[Harness]:
    with open_harness(short_folder / "examples", {"tone": ToneEngine()}, KOE_WYOMING="tcp://127.0.0.1:0") as harness:
        yield harness


@pytest.mark.parametrize("code", EXAMPLES, ids=["plain", "asyncio", "events", "voices", "realtime", "wyoming", "moving"])
def test_an_example_in_python_runs(code: str, served: Harness, tmp_path: Path, checkpoint: Path) -> None:
    shutil.copy(checkpoint / "voices" / "af_heart.pt", tmp_path / "pack.pt")
    code = code.replace("http://127.0.0.1:8000", served.url).replace("10200", str(served.wyoming_port))

    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    file = tmp_path / "speech.mp3"
    assert file.stat().st_size if file.exists() else done.stdout


def test_the_examples_of_voices_and_words_can_be_loaded(tmp_path: Path) -> None:
    voices, words = examples(OPERATORS, "toml")
    voices_file, lexicon = tmp_path / "voices.toml", tmp_path / "lexicon.toml"
    voices_file.write_text(voices)
    lexicon.write_text(words)

    assert load_catalogue(voices_file).aliases["nova"] == "bf_emma"
    assert len(read_lexicon(lexicon).entries("Koe keeps to the schedule.", "en-GB")) == 2
