"""spaCy's English model where `koe fetch` puts it, and English without it."""

import os
from pathlib import Path

import pytest

from app.core.settings import read_settings
from workers.text.g2p.english import tagger
from workers.text.g2p.phonemize import Phonemizer

not_installed = pytest.mark.skipif(tagger.is_installed(), reason="spaCy's English model is installed as a package")


@not_installed
def test_the_first_folder_that_has_it_is_found(tmp_path: Path) -> None:
    for name in ("second", "third"):
        (tmp_path / name / tagger.FOLDER).mkdir(parents=True)
        (tmp_path / name / tagger.FOLDER / "meta.json").write_text("{}")

    assert tagger.find() is None
    assert tagger.find(None, tmp_path / "first") is None
    assert tagger.find(None, tmp_path / "first", tmp_path / "second", tmp_path / "third") == str(
        tmp_path / "second" / tagger.FOLDER
    )


def test_a_damaged_model_does_not_cost_english(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text("{")

    assert "wˈɜɹld" in Phonemizer(str(tmp_path)).phonemize("Hello, world.", "en-US").phonemes


@pytest.mark.real
def test_with_the_model_homographs_are_told_apart() -> None:
    folder = read_settings(os.environ).fetched_model
    model = tagger.find(folder)
    if model is None:
        pytest.skip(f"{folder} has no {tagger.FOLDER}; `koe fetch` brings it")
    phonemizer = Phonemizer(model)

    past, future = (phonemizer.phonemize(text, "en-US").phonemes for text in ("I read it yesterday.", "I will read it now."))

    assert "ɹˈɛd" in past
    assert "ɹˈid" in future
