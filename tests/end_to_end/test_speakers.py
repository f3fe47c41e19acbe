"""A text for several voices over real HTTP: who speaks is measured in the audio, and told with the times of the words."""

import json
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest

from app.core.speech.voices import load_catalogue
from tests.end_to_end.listeners import SPEECH, asked
from tests.harness import Harness, wait_until
from workers.engines.tone import SECONDS_PER_PHONEME, frequency_hz

CATALOGUE = load_catalogue()
RATE_HZ = 24_000
JOBS = "/v1/audio/speech/jobs"
WORDS = "one two three four five"
DIALOGUE = f"{WORDS}\naf_heart: {WORDS}\n[ff_siwis] {WORDS} [am_michael(2)+bf_emma] {WORDS}\nonyx: {WORDS}"
SPEAKERS = ["alloy", "af_heart", "ff_siwis", "am_michael(2)+bf_emma", "onyx"]
BOOK = "".join(f"[{name}] {' '.join([WORDS] * 40)}.\n\n{' '.join([WORDS] * 250)}.\n\n" for name in SPEAKERS[:4])
"""A text of several parts; some of them begin without a tag."""


def hz(samples: Any) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples.astype(float)))) * RATE_HZ / len(samples))


def speakers_of(samples: Any, names: list[str], spans: list[tuple[float, float]]) -> list[str]:
    """Returns, for each span in seconds, the name of the voice that is heard there."""
    tones = {name: frequency_hz(CATALOGUE.parse(name)[0]) for name in names}
    heard = [hz(samples[round(start * RATE_HZ) : round(end * RATE_HZ)]) for start, end in spans]
    return [min(tones, key=lambda name: abs(tones[name] - one)) for one in heard]


def turns(words: list[dict[str, Any]]) -> list[tuple[str, float, float]]:
    """Returns speaker, start and end of the words that one speaker says without a break."""
    groups = [list(group) for _, group in groupby(words, key=lambda word: word["speaker"])]
    return [(group[0]["speaker"], group[0]["start"], group[-1]["end"]) for group in groups]


def words_over_sse(harness: Harness, text: str, **more: Any) -> list[dict[str, Any]]:
    body = asked(text, stream_format="sse", model="gpt-4o-mini-tts", timestamps=["word"], voice="alloy", **more)
    with harness.http() as http:
        answer = http.post(SPEECH, json=body)
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]
    return [word for event in events if event["type"] == "speech.audio.words" for word in event["words"]]


@pytest.mark.parametrize("normalize", [True, False])
def test_each_speaker_is_heard_where_the_words_say(harness: Harness, normalize: bool) -> None:
    with harness.http() as http:
        answer = http.post(SPEECH, json=asked(DIALOGUE, voice="alloy", normalize=normalize))
    samples = np.frombuffer(answer.content, "<i2")
    words = words_over_sse(harness, DIALOGUE, normalize=normalize)
    found = turns(words)
    assert [word["word"].rstrip(".") for word in words] == WORDS.split() * 5
    assert [speaker for speaker, _, _ in found] == SPEAKERS
    assert speakers_of(samples, SPEAKERS, [(start, end) for _, start, end in found]) == SPEAKERS
    assert len(samples) >= 5 * round(len(WORDS) * SECONDS_PER_PHONEME * RATE_HZ)


def test_the_words_of_ssml_have_their_speakers_too(harness: Harness) -> None:
    words = words_over_sse(harness, '<speak>One <voice name="nova">two</voice> three.</speak>')
    assert [(word["word"], word["speaker"]) for word in words] == [("One", "alloy"), ("two", "nova"), ("three.", "alloy")]


@pytest.mark.parametrize(
    "text", ["One two.", "[laughs] One.", "echo: one", "`[af_heart]` is one", '<voice name="nova">One</voice>']
)
def test_a_text_with_one_voice_says_nothing_of_speakers(harness: Harness, text: str) -> None:
    assert [word for word in words_over_sse(harness, text) if word.keys() != {"word", "start", "end"}] == []


def test_a_job_of_several_parts_knows_its_speakers(harness: Harness) -> None:
    body = {"model": "tts-1", "voice": "alloy", "input": BOOK, "response_format": "pcm", "timestamps": ["word"], "speed": 4}
    with harness.http() as http:
        path = http.post(JOBS, json=body).headers["location"]
        wait_until(lambda: http.get(path).json()["status"] not in ("queued", "in_progress"))
        job = http.get(path).json()
        samples = np.frombuffer(http.get(f"{path}/content").content, "<i2")
        captions = http.get(f"{path}/captions", params={"format": "json"}).json()
        srt, vtt = (http.get(f"{path}/captions", params={"format": name}).text for name in ("srt", "vtt"))
    assert job["status"] == "completed"
    found = turns(captions["words"])
    assert [speaker for speaker, _, _ in found] == SPEAKERS[:4]
    assert [word["word"] for word in captions["words"]] == [word for word in BOOK.split() if not word.startswith("[")]
    edges = [(start + 0.1, end - 0.1) for _, begin, last in found for start, end in pairwise(np.linspace(begin, last, 9))]
    assert speakers_of(samples, SPEAKERS, edges) == [name for name in SPEAKERS[:4] for _ in range(8)]
    cues = captions["cues"]
    assert [name for name, _ in groupby(cue["speaker"] for cue in cues)] == SPEAKERS[:4]
    assert [block.split("\n", 2)[2] for block in srt.strip("\n").split("\n\n")] == [cue["text"] for cue in cues]
    assert [block.split("\n", 1)[1] for block in vtt.strip("\n").split("\n\n")[1:]] == [
        f"<v {cue['speaker']}>{cue['text']}</v>" for cue in cues
    ]


def test_the_phonemes_of_each_segment_have_their_speaker(harness: Harness) -> None:
    with harness.http() as http:
        shown = http.post("/v1/audio/phonemize", json={"input": "[nova] One. [af_heart] Two.", "voice": "alloy"}).json()
        alone = http.post("/v1/audio/phonemize", json={"input": "One.", "voice": "alloy"}).json()
    assert [(one["speaker"], one["text"]) for one in shown["segments"]] == [("nova", "One."), ("af_heart", "Two.")]
    assert shown["normalized"] == "One. Two."
    assert alone["segments"][0].keys() == {"text", "phonemes", "n_phonemes"}


def test_too_many_voices_are_refused(harness: Harness) -> None:
    text = " ".join(f"[af_heart({n})+bf_emma] {n}" for n in range(1, 102))
    with harness.http() as http:
        answer = http.post(SPEECH, json=asked(text))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")
