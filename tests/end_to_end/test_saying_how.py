"""Pauses, phonemes of words and the lexicon, over real HTTP; each is measured in the audio."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.end_to_end.listeners import SPEECH, asked
from tests.harness import Harness, open_harness
from workers.engines.tone import SECONDS_PER_PHONEME


@pytest.fixture(scope="module")
def lexicon_harness(short_folder: Path) -> Iterator[Harness]:
    """Yields a harness that speaks emoji and has a lexicon, in which `koe` has nine phonemes."""
    file = short_folder / "lexicon.toml"
    file.write_text('[en]\nkoe = "kokokokok"\n')
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), KOE_LEXICON=str(file), KOE_EMOJI="say") as harness:
        yield harness


def samples_of(harness: Harness, text: str, **more: Any) -> np.ndarray:
    with harness.http() as http:
        answer = http.post(SPEECH, json=asked(text, **more))
    assert answer.status_code == 200
    return np.frombuffer(answer.content, "<i2")


def n_spoken(*pieces: str) -> int:
    return sum(round(len(piece) * SECONDS_PER_PHONEME * 24_000) for piece in pieces)


def n_samples(seconds: float) -> int:
    return round(seconds * 24_000)


@pytest.mark.parametrize(
    ("text", "pieces", "seconds"),
    [
        ("One. [pause:1.5s] Two.", ("One.", "Two."), 1.5),
        ("One.[pause:250ms]Two.", ("One.", "Two."), 0.25),
        ("[pause:0.5s]One.", ("One.",), 0.5),
        ("One.[pause:0.5s]", ("One.",), 0.5),
        ("One. [pause:1s] [pause:500ms] Two.", ("One.", "Two."), 1.5),
        ("One.\n\n[pause:1s]\n\nTwo.", ("One.", "Two."), 1.0),
        ("[pause:1s]", (), 1.0),
        ("One. [pause:99s] Two.", ("One.", "Two."), 60.0),
    ],
)
def test_a_pause_is_as_long_as_it_was_asked_for(harness: Harness, text: str, pieces: tuple[str, ...], seconds: float) -> None:
    assert len(samples_of(harness, text)) == n_spoken(*pieces) + n_samples(seconds)


def test_a_pause_is_silence_and_no_faster_with_the_speech(harness: Harness) -> None:
    samples = samples_of(harness, "One. [pause:1s] Two.", speed=2)

    silent = np.abs(samples[n_spoken("One.") // 2 :][: n_samples(1)])
    assert silent.max() == 0
    assert len(samples) == n_spoken("One.", "Two.") // 2 + n_samples(1)


def test_a_word_is_said_as_its_phonemes(harness: Harness) -> None:
    said = samples_of(harness, "[Koe](/kokoko/) speaks.")

    assert len(said) == n_spoken("kokoko speaks.")
    assert len(samples_of(harness, "[Koe](/kokoko/) speaks.", normalize=False)) == len(said)
    assert len(samples_of(harness, "Koe speaks.", pronunciations={"koe": "kokoko"})) == len(said)


def test_a_word_of_the_lexicon_is_said_as_it_says_unless_the_request_says_otherwise(lexicon_harness: Harness) -> None:
    assert len(samples_of(lexicon_harness, "Koe speaks.")) == n_spoken("kokokokok speaks.")
    assert len(samples_of(lexicon_harness, "Koe speaks.", pronunciations={"Koe": "ko"})) == n_spoken("ko speaks.")
    assert len(samples_of(lexicon_harness, "Koe speaks.", language="es")) == n_spoken("Koe speaks.")


def test_the_phonemes_of_each_segment_are_shown(lexicon_harness: Harness) -> None:
    with lexicon_harness.http() as http:
        shown = http.post(
            "/v1/audio/phonemize", json={"input": "Koe and [you](/ju/). [pause:1s] End.", "voice": "alloy"}
        ).json()

    assert shown["normalized"] == "Koe and you. End."
    assert [(one["text"], one["phonemes"]) for one in shown["segments"]] == [
        ("Koe and you.", "kokokokok and ju."),
        ("End.", "End."),
    ]


@pytest.mark.parametrize("pronunciations", [{"two words": "a"}, {"koe": "g"}, {"koe": "日"}])
def test_an_invalid_pronunciation_is_reported(harness: Harness, pronunciations: dict[str, str]) -> None:
    with harness.http() as http:
        answer = http.post(SPEECH, json=asked("Koe.", pronunciations=pronunciations))

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["param"], error["code"]) == ("pronunciations", "invalid_value")


def test_an_emoji_is_said_where_the_operator_wants_that(lexicon_harness: Harness) -> None:
    assert len(samples_of(lexicon_harness, "Good 👍!")) == n_spoken("Good, thumbs up!")
    with lexicon_harness.http() as http:
        answer = http.post("/v1/audio/phonemize", json={"input": "Good 👍!", "voice": "alloy"})
    assert answer.json()["normalized"] == "Good, thumbs up!"
