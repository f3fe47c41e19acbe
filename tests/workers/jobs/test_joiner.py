"""The finished file of a job: its audio and its words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from app.core.jobs.files import file_path, part_path, words_path
from app.core.jobs.job import JobStatus
from app.core.speech.captions import Captions
from tests.audio import decode
from tests.job_harness import JobHarness, chapters
from workers.engines.base import ALONE, Turn
from workers.engines.tone import ToneEngine
from workers.jobs.plan import CHAPTER_PAUSE_SECONDS

pytestmark = pytest.mark.anyio


async def test_the_file_is_what_the_parts_are(harness: JobHarness, tmp_path: Path) -> None:
    job_id = await harness.create_job(chapters(2), format="wav")
    harness.work(until=lambda: len(harness.job_store.done_parts(job_id)) == 2)
    parts = [np.frombuffer(harness.read(part_path(job_id, number)), "<i2") for number in (1, 2)]
    pause = np.zeros(round(CHAPTER_PAUSE_SECONDS / 4 * 24_000), "<i2")
    harness.work()
    samples, _ = soundfile.read(tmp_path / job_id / "speech.wav", dtype="int16")
    assert np.array_equal(samples, np.concatenate([parts[0], pause, parts[1]]))


async def test_parts_of_uneven_loudness_are_evened(harness: JobHarness) -> None:
    """The second of three chapters is spoken by an engine that is 6 dB softer."""
    job_id = await harness.create_job(chapters(3), format="pcm")
    done = 0
    while harness.job(job_id).status is not JobStatus.COMPLETED:
        harness.engine.now = SoftEngine() if done == 2 else ToneEngine()
        harness.work(until=_once())
        done += 1
    samples = decode(harness.read(file_path(job_id, "speech.pcm")), "pcm")
    pause = round(CHAPTER_PAUSE_SECONDS / 4 * 24_000)
    length = (len(samples) - 2 * pause) // 3
    starts = (0, length + pause, 2 * (length + pause))
    first, second, last = (float(np.abs(samples[start : start + length]).max()) for start in starts)
    assert first == pytest.approx(last, rel=0.01)
    assert second == pytest.approx(first * 10 ** (-3 / 20), rel=0.05)


@pytest.mark.parametrize("text", [" \n ", "…"])
async def test_a_text_with_nothing_to_say_becomes_a_short_silence(text: str, harness: JobHarness) -> None:
    job_id = await harness.create_job(text, format="flac")
    harness.work()
    file = harness.job(job_id).file
    assert file is not None
    assert file.seconds == 0.25


async def test_the_words_of_all_parts_are_told_where_the_file_has_them(harness: JobHarness, tmp_path: Path) -> None:
    text = chapters(3)
    job_id = await harness.create_job(text, format="wav", timestamps=True)
    harness.work()
    captions = msgspec.json.decode(harness.read(words_path(job_id)), type=Captions)
    assert [word.word for word in captions.words] == text.split()
    assert " ".join(cue.text for cue in captions.cues).split() == text.split()
    samples, _ = soundfile.read(tmp_path / job_id / "speech.wav", dtype="int16")
    for word in captions.words:
        if word.word == "Chapter":
            start = round(word.start * 24_000)
            assert word.start * 24_000 == pytest.approx(start, abs=0.02)
            assert samples[start] != 0
            assert start == 0 or not samples[start - 100 : start].any()
    file = harness.job(job_id).file
    assert file is not None
    assert captions.words[-1].end <= file.seconds


async def test_a_text_with_nothing_to_say_has_no_words(harness: JobHarness) -> None:
    job_id = await harness.create_job("…", timestamps=True)
    harness.work()
    assert harness.read(words_path(job_id)) == b'{"words":[],"cues":[]}'


class SoftEngine(ToneEngine):
    """Halves the amplitude."""

    def synthesize(self, segments: Any, turn: Turn = ALONE) -> Any:
        return [type(one)(one.samples / np.float32(2), one.words) for one in super().synthesize(segments, turn)]


def _once() -> Callable[[], bool]:
    asked = iter([False])
    return lambda: next(asked, True)
