"""Captions of a book by the real workers: each word of the input has the time of the very sample at which it starts or ends."""

import io
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import soundfile

from app.core.jobs.files import Store
from app.core.speech.voices import BlendPart
from tests.engines import text_of
from tests.harness import Harness, wait_until
from workers.engines.tone import ToneEngine
from workers.synthesis.prepare import segments_of

JOBS = "/v1/audio/speech/jobs"
CHAPTERS = [
    f"Chapter {number}\n\n{text_of(2, subject)}\n\n" for number, subject in enumerate(("canoe", "well", "lamp"), start=1)
]
TEXT = "".join(CHAPTERS)
"""A text of three parts."""
VOICE = (BlendPart("af_alloy", 1.0),)


def finished(harness: Harness, **fields: object) -> str:
    """Runs a job until it is completed. Returns its path."""
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "wav", "timestamps": ["word"]} | fields
    with harness.http() as http:
        path = http.post(JOBS, json=body).headers["location"]
        wait_until(lambda: http.get(path).json()["status"] not in ("queued", "in_progress"))
        assert http.get(path).json()["status"] == "completed"
    return path


def runs_of(samples: Any) -> list[tuple[int, int]]:
    """Returns the first sample and the exclusive end of each tone. There is silence between two tones."""
    heard = np.flatnonzero(samples)
    gaps = np.flatnonzero(np.diff(heard) > 100)
    return list(zip([heard[0], *heard[gaps + 1]], [*(heard[gaps] + 1), heard[-1] + 1], strict=True))


@pytest.mark.parametrize("speed", [1.0, 3.7])
def test_every_word_time_is_exact_to_the_sample(harness: Harness, speed: float) -> None:
    path = finished(harness, speed=speed, normalize=False)
    with harness.http() as http:
        captions = http.get(f"{path}/captions", params={"format": "json"}).json()
        samples, rate = soundfile.read(io.BytesIO(http.get(f"{path}/content").content), dtype="int16")
    words = captions["words"]
    assert [word["word"] for word in words] == TEXT.split()

    segments = [one for part in CHAPTERS for one in segments_of(part, ToneEngine(), voice=VOICE, language="en-US", speed=speed)]
    runs = runs_of(samples)
    assert len(runs) == len(segments) == 9
    expected = []
    for segment, (first, last) in zip(segments, runs, strict=True):
        place = 0
        for word in segment.text.split():
            place = segment.text.index(word, place)
            edges = (place, place := place + len(word))
            expected += [first + (last - first) * edge / len(segment.text) for edge in edges]
    actual = [word[edge] * rate for word in words for edge in ("start", "end")]
    assert np.abs(np.array(actual) - np.array(expected)).max() < 0.1


def test_cues_are_the_words_of_the_text_while_they_are_heard(harness: Harness) -> None:
    path = finished(harness, title="Three chapters")
    with harness.http() as http:
        captions = http.get(f"{path}/captions", params={"format": "json"}).json()
        srt, vtt = (http.get(f"{path}/captions", params={"format": name}).text for name in ("srt", "vtt"))
        seconds = http.get(path).json()["duration_seconds"]
    cues = captions["cues"]
    assert " ".join(cue["text"] for cue in cues).split() == TEXT.split()
    assert all(one["end"] <= two["start"] for one, two in pairwise(cues))
    assert cues[-1]["end"] <= seconds + 1
    texts = [cue["text"] for cue in cues]
    assert [block.split("\n", 2)[2] for block in srt.strip("\n").split("\n\n")] == texts
    assert [block.split("\n", 1)[1] for block in vtt.strip("\n").split("\n\n")[1:]] == texts
    assert "-->" not in "".join(texts)


def test_a_deleted_job_takes_its_words_with_it(harness: Harness) -> None:
    path = finished(harness, speed=4)
    job_id, store = path.rpartition("/")[2], Store(harness.settings.store_url)
    assert store.exists(f"{job_id}/words.json")
    with harness.http() as http:
        assert http.delete(path).status_code == 204
        assert http.get(f"{path}/captions").status_code == 404
    assert not store.exists(job_id)
