"""Speaking one part of a job: its segments, its progress, its words, and its state after crashes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.core.errors import WorkersDied
from app.core.jobs.files import file_path, part_path, part_words_path, words_path
from app.core.jobs.job import JobStatus
from app.core.speech.captions import Captions
from app.core.speech.speakers import find_speakers
from app.core.speech.voices import load_catalogue
from app.core.speech.word_times import read_words
from app.core.storage import keys
from tests.engines import FailingEngine, GatedEngine, text_of
from tests.harness import wait_until
from tests.job_harness import VOICE, CountingEngine, JobHarness, chapters
from workers.engines.tone import ToneEngine
from workers.jobs.speaker import MAX_STARTS
from workers.synthesis.prepare import segments_of
from workers.synthesis.scheduler import Scheduler

pytestmark = pytest.mark.anyio


async def test_a_part_that_is_done_is_not_spoken_again(harness: JobHarness) -> None:
    harness.engine.now = engine = CountingEngine()
    job_id = await harness.create_job(chapters(2))
    harness.work(until=lambda: len(harness.job_store.done_parts(job_id)) == 1)
    n_spoken = len(engine.spoken)
    assert harness.open_runner().speak_part(job_id, 1)
    assert len(engine.spoken) == n_spoken


async def test_what_was_spoken_in_one_part_is_not_spoken_in_another_nor_in_another_job(harness: JobHarness) -> None:
    harness.engine.now = engine = CountingEngine()
    harness.segment_bytes = 10**8
    harness.runner = harness.open_runner()
    said = []
    for _ in range(2):
        job_id = await harness.create_job(chapters(3), format="wav")
        harness.work()
        said.append(harness.read(file_path(job_id, "speech.wav")))
        assert harness.job(job_id).progress.segments_done == 9

    n_headings, n_sentences = 3, 2
    assert len(engine.spoken) == len(set(engine.spoken)) == n_headings + n_sentences
    assert said[0] == said[1]


async def test_a_worker_that_dies_within_a_part_costs_the_segment_it_was_at(
    harness: JobHarness, background: ThreadPoolExecutor, gated: GatedEngine
) -> None:
    job_id = await harness.create_job(text_of(8), normalize=False)
    harness.work(until=lambda: harness.queue.job_ids == [f"{job_id}-part-1"])
    harness.engine.now = gated
    gated.release(3)
    first = background.submit(harness.runner.speak_part, job_id, 1)
    gated.wait_begun(4)
    # The cache now has the same segments as if the worker were killed now.
    harness.engine.now = engine = CountingEngine()
    earlier, harness.scheduler = harness.scheduler, Scheduler(n_threads=1)
    assert harness.open_runner().speak_part(job_id, 1)
    assert [one.text for one in gated.spoken] + engine.spoken == _segments(text_of(8))
    assert len(gated.spoken) == 3
    data = harness.read(part_path(job_id, 1))
    gated.release(8)
    assert first.result()
    earlier.close()
    assert harness.read(part_path(job_id, 1)) == data


async def test_progress_is_told_while_a_part_is_spoken(
    harness: JobHarness, background: ThreadPoolExecutor, gated: GatedEngine
) -> None:
    job_id = await harness.create_job(text_of(6))
    harness.work(until=lambda: harness.queue.job_ids == [f"{job_id}-part-1"])
    harness.engine.now = gated
    total = harness.job(job_id).progress.segments_total
    working = background.submit(harness.work)
    gated.release(2)
    wait_until(lambda: harness.job(job_id).progress.segments_done >= 2)
    progress = harness.job(job_id).progress
    assert progress.segments_done < progress.segments_total == total
    gated.release(100)
    assert working.result() == ["part-1", "join"]


async def test_a_part_that_kills_its_workers_fails_the_job(harness: JobHarness) -> None:
    job_id = await harness.create_job(text_of(2))
    harness.work(until=lambda: harness.queue.job_ids == [f"{job_id}-part-1"])
    for _ in range(MAX_STARTS):
        harness.job_store.count_attempt(job_id, -1)
    harness.work()
    assert str(harness.error(job_id)) == str(WorkersDied())


async def test_workers_that_die_at_different_segments_are_not_held_against_the_part(harness: JobHarness) -> None:
    job_id = await harness.create_job(text_of(MAX_STARTS + 3))
    harness.work(until=lambda: harness.queue.job_ids == [f"{job_id}-part-1"])
    for _ in range(MAX_STARTS + 2):
        harness.engine.now = FailingEngine(fail_at=1)
        harness.runner.speak_part(job_id, 1)
        harness.redis.hdel(keys.job_attempts(job_id), "1")
    assert harness.job(job_id).status is JobStatus.IN_PROGRESS


async def test_the_words_of_a_part_are_there_before_it_is_done_and_gone_after_the_end(
    harness: JobHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await harness.create_job(chapters(2), timestamps=True)
    seen = []
    note = harness.job_store.part_done

    def part_done(job_id: str, part: int, **result: Any) -> None:
        seen.append(read_words(harness.read(part_words_path(job_id, part))))
        note(job_id, part, **result)

    monkeypatch.setattr(harness.job_store, "part_done", part_done)
    harness.work()
    assert [words[0].word for words in seen] == ["Chapter", "Chapter"]
    assert [words[0].start for words in seen] == [0.0, 0.0]
    assert {path.name for path in (tmp_path / job_id).iterdir()} == {"speech.mp3", "words.json"}


async def test_a_part_is_spoken_with_the_tags_that_are_open_at_its_beginning(harness: JobHarness) -> None:
    harness.engine.now = engine = CountingEngine()
    tagged = f'<think>{chapters(2)}</think><speak><p>{chapters(3)}</p> <break time="1s"/> End</speak>'
    job_id = await harness.create_job(tagged)
    harness.work()
    assert harness.job(job_id).status is JobStatus.COMPLETED
    assert len(harness.job_store.parts(job_id)) != 1
    assert not [text for text in engine.spoken if "<" in text or "speak" in text or "break" in text]
    assert sum(text.startswith("Chapter") for text in engine.spoken) == 3


async def test_chapters_and_pauses_of_a_job_are_found_beside_the_tags_of_its_speakers(harness: JobHarness) -> None:
    harness.engine.now = engine = CountingEngine()
    tagged = "".join(f"# [{name}] One\n\nam_michael: {text_of(4)}\n\n" for name in ("af_heart", "bf_emma"))
    plain = "".join(f"# One\n\n{text_of(4)}\n\n" for _ in range(2))
    job_ids = [
        await harness.create_job(tagged, speakers=find_speakers(tagged, load_catalogue()), narrator="af_heart"),
        await harness.create_job(plain),
    ]
    harness.work(until=lambda: len(harness.job_store.done_parts(job_ids[1])) == 2)
    assert [part.chapter for part in harness.job_store.parts(job_ids[0])] == ["One", "One"]
    harness.work()
    files = [harness.job(job_id).file for job_id in job_ids]
    assert files[0] is not None
    assert files[1] is not None
    assert files[0].seconds == pytest.approx(files[1].seconds)
    assert not [one for one in engine.spoken if "[" in one or "am_" in one]


async def test_a_job_that_wants_no_times_keeps_none(harness: JobHarness, tmp_path: Path) -> None:
    job_id = await harness.create_job(chapters(2))
    harness.work(until=lambda: len(harness.job_store.done_parts(job_id)) == 2)
    assert {path.name for path in (tmp_path / job_id / "parts").iterdir()} == {"00001.pcm", "00002.pcm"}
    harness.work()
    assert [path.name for path in (tmp_path / job_id).iterdir()] == ["speech.mp3"]


async def test_a_part_that_two_workers_speak_tells_each_word_once(
    harness: JobHarness, background: ThreadPoolExecutor, gated: GatedEngine
) -> None:
    text = text_of(8)
    job_id = await harness.create_job(text, timestamps=True)
    harness.work(until=lambda: harness.queue.job_ids == [f"{job_id}-part-1"])
    harness.engine.now = gated
    gated.release(3)
    first = background.submit(harness.runner.speak_part, job_id, 1)
    gated.wait_begun(4)
    harness.engine.now = engine = CountingEngine()
    earlier, harness.scheduler = harness.scheduler, Scheduler(n_threads=1)
    assert harness.open_runner().speak_part(job_id, 1)
    words = read_words(harness.read(part_words_path(job_id, 1)))
    assert len(engine.spoken) == 5
    gated.release(8)
    assert first.result()
    earlier.close()
    assert read_words(harness.read(part_words_path(job_id, 1))) == words
    assert [word.word for word in words] == text.split()
    harness.work()
    assert [word.word for word in msgspec.json.decode(harness.read(words_path(job_id)), type=Captions).words] == text.split()


async def test_a_part_that_failed_midway_tells_each_word_once(harness: JobHarness) -> None:
    text = text_of(4)
    job_id = await harness.create_job(text, timestamps=True)
    harness.engine.now = FailingEngine(fail_at=2)
    harness.work(until=lambda: bool(harness.redis.hexists(keys.job_attempts(job_id), "1")))
    harness.engine.now = ToneEngine()
    harness.work()
    assert [word.word for word in msgspec.json.decode(harness.read(words_path(job_id)), type=Captions).words] == text.split()


async def test_a_part_whose_words_are_lost_is_spoken_again(harness: JobHarness, tmp_path: Path) -> None:
    job_id = await harness.create_job(chapters(2), timestamps=True)
    harness.work(until=lambda: len(harness.job_store.done_parts(job_id)) == 1)
    words = harness.read(part_words_path(job_id, 1))
    (tmp_path / part_words_path(job_id, 1)).unlink()
    assert harness.runner.speak_part(job_id, 1)
    assert harness.read(part_words_path(job_id, 1)) == words


def _segments(text: str) -> list[str]:
    return [one.text for one in segments_of(text, ToneEngine(), voice=VOICE, language="en-US", speed=4.0)]
