"""The identity of an engine: equal if the same segment sounds the same."""

import os
import shutil
from pathlib import Path

from app.core.speech.voices import load_catalogue
from workers.engines.espeak import EspeakEngine
from workers.engines.identity import identity_of


def a_file(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def test_the_same_files_elsewhere_are_the_same(tmp_path: Path) -> None:
    files = [a_file(tmp_path / "one", name, name) for name in ("weights", "voice")]
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    copies = [tmp_path / "two" / file.name for file in reversed(files)]
    for copy in copies:
        os.utime(copy, (1, 1))

    assert identity_of("model 1", copies) == identity_of("model 1", files)


def test_another_training_of_the_same_size_is_another(tmp_path: Path) -> None:
    path = a_file(tmp_path, "weights", "one")
    before = identity_of("model 1", [path])

    path.write_text("two")
    os.utime(path, (1, 1))

    assert identity_of("model 1", [path]) != before


def test_voices_that_changed_places_are_others(tmp_path: Path) -> None:
    files = [a_file(tmp_path, name, name) for name in ("one", "two")]
    before = identity_of("model 1", files)

    for name, text in (("one", "two"), ("two", "one")):
        os.utime(a_file(tmp_path, name, text), (1, 1))

    assert identity_of("model 1", files) != before


def test_one_that_cannot_be_read_is_left_to_whoever_needs_it(tmp_path: Path) -> None:
    assert identity_of("model 1", [tmp_path / "gone"]) != identity_of("model 1", [])


def test_another_kind_is_another() -> None:
    assert identity_of("model 1", []) != identity_of("model 2", [])


def test_a_voice_of_the_operators_that_takes_the_timbre_of_another_changes_espeak(tmp_path: Path) -> None:
    voices = a_file(
        tmp_path,
        "voices.toml",
        """
[[voices]]
id = "aa_first"
language = "en-US"
gender = "female"
grade = "A"
""",
    )

    plain, changed = (EspeakEngine(load_catalogue(path)) for path in (None, voices))

    assert plain.identity == EspeakEngine(load_catalogue()).identity
    assert plain.identity != changed.identity
