"""SSML and thoughts over real HTTP: pauses, speed and voices are measured in the audio."""

import json
from typing import Any

import numpy as np
import pytest

from app.core.speech.voices import load_catalogue
from tests.end_to_end.listeners import SPEECH, asked
from tests.harness import Harness
from workers.engines.tone import SECONDS_PER_PHONEME, frequency_hz

CATALOGUE = load_catalogue()
RATE_HZ = 24_000


def samples_of(harness: Harness, text: str, **more: Any) -> np.ndarray:
    with harness.http() as http:
        answer = http.post(SPEECH, json=asked(text, **more))
    assert answer.status_code == 200
    return np.frombuffer(answer.content, "<i2")


def n_spoken(piece: str, speed: float = 1.0) -> int:
    return round(len(piece) * SECONDS_PER_PHONEME * RATE_HZ / speed)


def hz(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples.astype(float)))) * RATE_HZ / len(samples))


def test_a_break_is_as_long_as_it_says(harness: Harness) -> None:
    samples = samples_of(harness, '<speak>One <break time="1.5s"/> two.</speak>')
    assert len(samples) == n_spoken("One") + n_spoken("two.") + round(1.5 * RATE_HZ)
    assert np.abs(samples[n_spoken("One") :][: round(1.5 * RATE_HZ)]).max() == 0


def test_a_slow_part_is_longer(harness: Harness) -> None:
    slow = samples_of(harness, '<speak>One <prosody rate="slow">two three</prosody></speak>')
    usual = samples_of(harness, "<speak>One <prosody>two three</prosody></speak>")
    assert len(usual) == n_spoken("One two three")
    assert len(slow) == n_spoken("One") + n_spoken("two three", 0.75)


def test_a_voice_speaks_its_part(harness: Harness) -> None:
    words = "one two three four five"
    samples = samples_of(harness, f'<speak>{words} <voice name="nova">{words}</voice></speak>', voice="alloy")
    half = n_spoken(words)
    assert len(samples) == 2 * half
    assert hz(samples[:half]) == pytest.approx(frequency_hz(CATALOGUE.parse("alloy")[0]), rel=0.01)
    assert hz(samples[half:]) == pytest.approx(frequency_hz(CATALOGUE.parse("nova")[0]), rel=0.01)


def test_words_are_timed_without_their_tags(harness: Harness) -> None:
    text = '<speak>One <break time="500ms"/> <prosody rate="slow">two</prosody> <sub alias="three four">34</sub>.</speak>'
    with harness.http() as http:
        answer = http.post(SPEECH, json=asked(text, stream_format="sse", model="gpt-4o-mini-tts", timestamps=["word"]))
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]
    words = [word["word"] for event in events if event["type"] == "speech.audio.words" for word in event["words"]]
    assert words == ["One", "two", "34."]


def test_breaks_have_the_limit_of_pauses(harness: Harness) -> None:
    text = "<speak>One " + '<break time="60s"/>' * 11 + "</speak>"
    with harness.http() as http:
        answer = http.post(SPEECH, json=asked(text))
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "input"


def test_a_thought_is_not_spoken(harness: Harness) -> None:
    assert len(samples_of(harness, "<think>Hm, hm.</think>Answer.")) == n_spoken("Answer.")


def test_without_normalization_tags_are_text(harness: Harness) -> None:
    text = '<speak>One <break time="60s"/> two.</speak>'
    assert len(samples_of(harness, text, normalize=False)) < 10 * RATE_HZ
