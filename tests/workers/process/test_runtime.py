"""The runtime: one utterance from its lease to its end, in each way that it can end or continue elsewhere."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import EngineFailed, EngineUnavailable, InternalError, InvalidValue, OutOfMemory, WorkersDied
from app.core.jobs.files import Store
from app.core.jobs.job_store import JobStore
from app.core.queue.audio_stream import ChunkReader
from app.core.queue.broker import QueueName
from app.core.queue.fleet import Registration, announce
from app.core.queue.registry import MAX_DEATHS, Attempt, Found, Registry, WorkerRegistry
from app.core.queue.segment_cache import Budget
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from app.core.storage import keys
from app.core.storage.notifier import Notifier
from tests import replies
from tests.audio import decode, ffmpeg
from tests.engines import FailingEngine, GatedEngine, text_of
from tests.harness import wait_until
from workers.engines.base import ALONE, Engine, Segment, Turn, Waveform
from workers.engines.identity import short
from workers.engines.tone import ToneEngine
from workers.process import runtime
from workers.process.runtime import Runtime
from workers.synthesis import stream_task, synthesizer
from workers.synthesis.prepare import segments_of
from workers.synthesis.scheduler import Scheduler
from workers.synthesis.stream_task import Limits
from workers.text.words import PhonemizedText

pytestmark = pytest.mark.anyio

VOICE = load_catalogue().parse("af_heart")[0]
STREAM_BYTES = 65_536


def an_utterance(text: str = "Hello there.", **changes: Any) -> Utterance:
    fields: dict[str, Any] = {"text": text, "engine": "tone", "voice": VOICE, "language": "en-US", "format": "pcm"}
    return Utterance(**(fields | changes))


@pytest.fixture
def registry(aredis: AsyncRedis) -> Registry:
    return Registry(aredis, api="api", cache_ttl=60, cache_bytes=10**9, queued_ttl=60, stream_bytes=STREAM_BYTES)


SpeakingWith = Callable[..., Runtime]


@pytest.fixture
def speaking_with(redis: Redis, tmp_path: Path) -> Iterator[SpeakingWith]:
    """Makes workers by name and engine, with one compute thread each. They stand for separate processes."""
    made: list[Runtime] = []

    def make(
        engine: Engine, worker: str = "w", *, stream_bytes: int = 10**9, keep_bytes: int = 10**9, segment_bytes: int = 0
    ) -> Runtime:
        announce(redis, Registration(name=worker, engines=("tone",)), 60, takes_work=True)
        made.append(
            Runtime(
                redis=redis,
                registry=WorkerRegistry(redis, worker=worker, cache_ttl=60, cache_bytes=10**9),
                engines={"tone": engine},
                scheduler=Scheduler(n_threads=1),
                ffmpeg_path=ffmpeg(),
                limits=Limits(
                    stream_bytes=stream_bytes,
                    cache_budget=Budget(task_bytes=keep_bytes, segment_bytes=segment_bytes),
                    patience_seconds=30,
                ),
                jobs=JobStore(redis, job_ttl=60),
                store=Store(str(tmp_path)),
                webhook_secret=None,
                webhook_private=False,
            )
        )
        return made[-1]

    yield make
    for one in made:
        for engine in one.engines.values():
            if isinstance(engine, GatedEngine):
                engine.release(10_000)
        one.close()


@pytest.fixture(autouse=True)
def no_retry_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts another attempt without a pause."""
    monkeypatch.setattr(runtime, "_RETRY_SECONDS", 0.01)


class Patient:
    """A reader's watch that waits without end."""

    async def on_quiet(self) -> bool:
        return False

    def on_rewind(self) -> None:
        pass

    def on_words(self, words: bytes) -> None:
        pass

    async def on_read(self, n_bytes: int, entry: str) -> None:
        pass


async def attached(registry: Registry, utterance: Utterance) -> Attempt:
    found = await registry.attach(utterance.id)
    assert found is not None
    return found[1]


async def read_to_end(aredis: AsyncRedis, attempt: Attempt) -> tuple[bytes, ChunkReader]:
    notifier = Notifier(aredis, keys.NOTIFICATIONS)
    reader = ChunkReader(aredis, notifier, attempt, Patient(), skip_bytes=0, patience_seconds=30)
    return b"".join([chunk async for chunk in reader]), reader


def speech(speaking: Runtime, utterance: Utterance) -> asyncio.Future[bool]:
    return asyncio.ensure_future(asyncio.to_thread(speaking.speak, utterance, QueueName.INTERACTIVE))


def record(redis: Redis, utterance: Utterance) -> dict[str, str]:
    return replies.fields(redis, keys.utterance(utterance.id))


async def until(holds: Callable[[], Any]) -> None:
    await asyncio.to_thread(wait_until, holds)


@dataclass
class Sound:
    """The audio of an utterance when nothing goes wrong."""

    data: bytes
    n_segments: int


Plain = Callable[[Utterance], Awaitable[Sound]]


@pytest.fixture
def plain(speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, redis: Redis) -> Plain:
    """Speaks an utterance without failures, and deletes its record."""
    undisturbed = speaking_with(ToneEngine(), "plain")

    async def speak(utterance: Utterance) -> Sound:
        attempt = await attached(registry, utterance)
        await asyncio.to_thread(undisturbed.speak, utterance, QueueName.INTERACTIVE)
        data, reader = await read_to_end(aredis, attempt)
        assert reader.report is not None
        redis.delete(*attempt.both)
        return Sound(data, reader.report.n_segments)

    return speak


async def test_an_utterance_that_is_wanted_is_spoken_and_kept(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    utterance = an_utterance()
    attempt = await attached(registry, utterance)

    assert await speech(speaking_with(ToneEngine()), utterance)

    audio, reader = await read_to_end(aredis, attempt)
    assert reader.report is not None
    assert reader.report.n_segments == 1
    assert reader.report.n_phonemes == 12
    assert reader.report.n_bytes == len(audio)
    assert reader.report.audio_seconds * 24_000 == len(decode(audio, "pcm"))
    again = await registry.attach(utterance.id)
    assert again == (Found.HIT, attempt)


async def test_what_nobody_wants_is_not_spoken(speaking_with: SpeakingWith, redis: Redis) -> None:
    engine = GatedEngine()

    assert speaking_with(engine).speak(an_utterance(), QueueName.INTERACTIVE)

    assert engine.n_begun == 0
    assert redis.keys("koe:audio:*") == []


async def test_what_an_engine_breaks_reaches_the_reader_and_the_queue(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    utterance = an_utterance(text_of(6))
    attempt = await attached(registry, utterance)

    with pytest.raises(EngineFailed):
        await speech(speaking_with(FailingEngine(fail_at=1)), utterance)

    with pytest.raises(InternalError):
        await read_to_end(aredis, attempt)
    assert await attached(registry, utterance) != attempt


class PickyEngine(ToneEngine):
    def phonemize(self, *args: Any, **kwargs: Any) -> PhonemizedText:
        raise InvalidValue("That cannot be said.", param="input")


async def test_a_fault_of_the_request_reaches_the_reader_and_not_the_queue(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    utterance = an_utterance()
    attempt = await attached(registry, utterance)

    assert await speech(speaking_with(PickyEngine()), utterance)

    with pytest.raises(InvalidValue, match="cannot be said"):
        await read_to_end(aredis, attempt)


async def test_an_engine_that_is_not_here_reaches_the_reader_by_name(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    utterance = an_utterance(engine="kokoro")
    attempt = await attached(registry, utterance)

    with pytest.raises(EngineUnavailable):
        await speech(speaking_with(ToneEngine()), utterance)

    with pytest.raises(EngineUnavailable, match="kokoro"):
        await read_to_end(aredis, attempt)


class BuggyEngine(ToneEngine):
    def phonemize(self, *args: Any, **kwargs: Any) -> PhonemizedText:
        raise KeyError("a secret of the house")


async def test_an_unforeseen_error_reaches_the_reader_without_its_words(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    utterance = an_utterance()
    attempt = await attached(registry, utterance)

    with pytest.raises(KeyError):
        await speech(speaking_with(BuggyEngine()), utterance)

    with pytest.raises(InternalError) as caught:
        await read_to_end(aredis, attempt)
    assert "secret" not in caught.value.message


async def test_an_attempt_that_is_cancelled_ends_between_two_segments(
    speaking_with: SpeakingWith, registry: Registry, redis: Redis
) -> None:
    engine = GatedEngine()
    speaking = speaking_with(engine)
    utterance = an_utterance(text_of(6))
    attempt = await attached(registry, utterance)
    speaks = speech(speaking, utterance)
    await asyncio.to_thread(engine.wait_begun, 1)
    await until(lambda: speaking.scheduler.n_waiting == 2)

    assert await registry.detach(attempt)
    speaking.cancel(utterance.id, attempt.token)
    engine.release(100)
    await speaks

    assert engine.n_begun == 1
    assert not redis.exists(*attempt.both)


async def test_an_attempt_that_is_cancelled_unheard_ends_at_its_next_chunk(
    speaking_with: SpeakingWith, registry: Registry, redis: Redis
) -> None:
    engine = GatedEngine()
    utterance = an_utterance(text_of(6))
    attempt = await attached(registry, utterance)
    speaks = speech(speaking_with(engine), utterance)
    await asyncio.to_thread(engine.wait_begun, 1)

    await registry.detach(attempt)
    engine.release(1)
    await asyncio.to_thread(engine.wait_begun, 2)
    engine.release(100)
    await speaks

    assert len(engine.spoken) < 6
    assert not redis.exists(attempt.stream)


async def test_to_cancel_another_attempt_of_the_same_utterance_does_nothing(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    engine = GatedEngine()
    speaking = speaking_with(engine)
    utterance = an_utterance(text_of(3))
    attempt = await attached(registry, utterance)
    speaks = speech(speaking, utterance)
    await asyncio.to_thread(engine.wait_begun, 1)

    speaking.cancel(utterance.id, "0000")
    speaking.cancel("unknown", attempt.token)
    engine.release(100)
    await speaks

    _, reader = await read_to_end(aredis, attempt)
    assert reader.report is not None
    assert reader.report.n_segments == len(engine.spoken) == 3


async def test_an_utterance_that_is_fully_spoken_is_cached_though_its_reader_leaves(
    speaking_with: SpeakingWith, registry: Registry, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    utterance = an_utterance(text_of(2))
    attempt = await attached(registry, utterance)
    speaking = speaking_with(ToneEngine())
    finish, loop = speaking._registry.finish, asyncio.get_running_loop()
    left: list[bool] = []

    def leave_first(*args: Any) -> Any:
        left.append(asyncio.run_coroutine_threadsafe(registry.detach(attempt), loop).result(30))
        return finish(*args)

    monkeypatch.setattr(speaking._registry, "finish", leave_first)
    await speech(speaking, utterance)

    assert left == [False]
    assert await registry.attach(utterance.id) == (Found.HIT, attempt)


@pytest.mark.parametrize("format_name", ["pcm", "mp3", "opus"])
async def test_a_worker_that_takes_over_continues_at_the_next_byte_and_speaks_no_segment_twice(
    format_name: str, speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, redis: Redis, plain: Plain
) -> None:
    utterance = an_utterance(text_of(6), format=format_name)
    sound = await plain(utterance)
    dying, heir = GatedEngine(), GatedEngine()
    heir.release(100)
    attempt = await attached(registry, utterance)
    former = speech(speaking_with(dying), utterance)
    dying.release(3)
    await asyncio.to_thread(dying.wait_begun, 4)
    await until(lambda: int(record(redis, utterance).get("bytes", 0)) > 0)

    redis.delete(keys.worker("w"))
    await speech(speaking_with(heir, "heir"), utterance)
    dying.release(100)
    await former

    audio, reader = await read_to_end(aredis, attempt)
    assert audio == sound.data
    assert reader.report is not None
    assert reader.report.n_bytes == len(audio)
    assert len(heir.spoken) == sound.n_segments - 3
    assert redis.keys("koe:kept:*") == []


async def test_a_worker_wrongly_presumed_dead_is_fenced_out_even_in_the_same_process(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, redis: Redis, plain: Plain
) -> None:
    """Redis was unreachable until the registration expired. The first heartbeat then gave the job to another slot."""
    engine = GatedEngine()
    utterance = an_utterance(text_of(5))
    sound = await plain(utterance)
    attempt = await attached(registry, utterance)
    speaking = speaking_with(engine)
    former = speech(speaking, utterance)
    engine.release(2)
    await asyncio.to_thread(engine.wait_begun, 3)
    redis.delete(keys.worker("w"))
    again = speech(speaking, utterance)
    await until(lambda: record(redis, utterance)["claim"] == "2")

    engine.release(100)
    await asyncio.gather(former, again)

    audio, _ = await read_to_end(aredis, attempt)
    assert audio == sound.data
    assert speaking._speaking == {}


async def test_poison_is_not_tried_again_and_the_reader_gets_an_error(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, redis: Redis
) -> None:
    utterance = an_utterance()
    attempt = await attached(registry, utterance)
    engines = [GatedEngine() for _ in range(MAX_DEATHS)]
    speaks = []
    for number, engine in enumerate(engines):
        speaks.append(speech(speaking_with(engine, f"w{number}"), utterance))
        await asyncio.to_thread(engine.wait_begun, 1)
        redis.delete(keys.worker(f"w{number}"))
    spared = GatedEngine()

    with pytest.raises(WorkersDied):
        await speech(speaking_with(spared, "last"), utterance)
    for engine in engines:
        engine.release(1)
    await asyncio.gather(*speaks)

    with pytest.raises(InternalError, match="tried to speak this text died"):
        await read_to_end(aredis, attempt)
    assert spared.n_begun == 0


async def test_segments_spoken_before_a_failure_are_not_spoken_again_for_the_next_request(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    utterance = an_utterance(text_of(5))
    await attached(registry, utterance)
    with pytest.raises(EngineFailed):
        await speech(speaking_with(FailingEngine(fail_at=3)), utterance)
    engine = GatedEngine()
    engine.release(100)

    attempt = await attached(registry, utterance)
    await speech(speaking_with(engine, "other"), utterance)

    _, reader = await read_to_end(aredis, attempt)
    assert reader.report is not None
    assert reader.report.n_segments == 5
    assert len(engine.spoken) == 2


@pytest.mark.parametrize("keep_bytes", [0, 10**9])
async def test_a_preempted_utterance_continues_later_at_the_next_byte(
    keep_bytes: int,
    speaking_with: SpeakingWith,
    registry: Registry,
    aredis: AsyncRedis,
    redis: Redis,
    plain: Plain,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_task, "_QUANTUM_SECONDS", 0)
    monkeypatch.setattr(stream_task, "_LEAD_SECONDS", 0)
    utterance = an_utterance(text_of(5), format="mp3")
    sound = await plain(utterance)
    engine = GatedEngine()
    engine.release(100)
    attempt = await attached(registry, utterance)
    speaking = speaking_with(engine, keep_bytes=keep_bytes)
    speaking.limits.set_waiting(1)

    assert not await speech(speaking, utterance)
    assert record(redis, utterance)["state"] == "queued"
    assert len(engine.spoken) < 5
    assert await speech(speaking, utterance)

    audio, _ = await read_to_end(aredis, attempt)
    assert audio == sound.data
    first_was_kept = engine.spoken.count(engine.spoken[0]) == 1
    assert first_was_kept is bool(keep_bytes)


async def test_an_utterance_with_a_slow_reader_is_paused_and_continues_at_the_next_byte(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, redis: Redis, plain: Plain
) -> None:
    utterance = an_utterance(text_of(6))
    sound = await plain(utterance)
    engine = GatedEngine()
    engine.release(100)
    speaking = speaking_with(engine, stream_bytes=STREAM_BYTES)
    attempt = await attached(registry, utterance)

    assert await speech(speaking, utterance)
    paused = record(redis, utterance)
    assert paused["state"] == "parked"
    assert STREAM_BYTES < int(paused["bytes"]) < len(sound.data)
    n_times = 1
    while record(redis, utterance)["state"] != "finished":
        n_times += 1
        assert await registry.read(attempt, int(record(redis, utterance)["bytes"]), "0")
        assert await speech(speaking, utterance)

    audio, _ = await read_to_end(aredis, attempt)
    assert audio == sound.data
    # A segment that an engine speaks when the slot is released may be requested again before it is cached.
    assert len(engine.spoken) <= sound.n_segments + n_times


class KillingEngine(ToneEngine):
    """Kills the encoder's process while it speaks segment number `at`."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at
        self.n_spoken = 0
        self.n_killed = 0

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        if self.n_spoken == self._at and not self.n_killed:
            (pid,) = [int(pid) for pid in _children() if b"pipe:1" in _command(pid)]
            os.kill(pid, signal.SIGKILL)
            self.n_killed += 1
        self.n_spoken += len(segments)
        return super().synthesize(segments, turn)


def _children() -> list[str]:
    return [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]


def _command(pid: str) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.parametrize("format_name", ["mp3", "opus", "aac", "flac"])
async def test_an_encoder_that_is_killed_costs_nobody_anything(
    format_name: str, speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, plain: Plain
) -> None:
    utterance = an_utterance(text_of(5), format=format_name)
    sound = await plain(utterance)
    engine = KillingEngine(at=3)
    attempt = await attached(registry, utterance)

    await speech(speaking_with(engine), utterance)

    audio, _ = await read_to_end(aredis, attempt)
    assert engine.n_killed == 1
    assert audio == sound.data
    # All segments were cached, except the one that the engine was speaking.
    assert engine.n_spoken <= sound.n_segments + 1


class HungryEngine(ToneEngine):
    """Raises OutOfMemory for one segment, `n_times` times."""

    def __init__(self, text: str, n_times: int) -> None:
        super().__init__()
        self.n_left = n_times
        self._text = text

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        if self.n_left and any(self._text in segment.text for segment in segments):
            self.n_left -= 1
            raise OutOfMemory
        return super().synthesize(segments, turn)


@pytest.mark.parametrize("n_times", [1, 2])
async def test_an_engine_that_finds_no_memory_for_a_moment_costs_nobody_anything(
    n_times: int, speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, plain: Plain
) -> None:
    utterance = an_utterance(text_of(4), format="mp3")
    sound = await plain(utterance)
    engine = HungryEngine("Sentence c", n_times)
    attempt = await attached(registry, utterance)

    await speech(speaking_with(engine), utterance)

    audio, _ = await read_to_end(aredis, attempt)
    assert engine.n_left == 0
    assert audio == sound.data


async def test_an_engine_that_finds_no_memory_three_times_is_a_failure(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    utterance = an_utterance(text_of(4))
    attempt = await attached(registry, utterance)

    with pytest.raises(OutOfMemory):
        await speech(speaking_with(HungryEngine("Sentence c", 3)), utterance)

    with pytest.raises(InternalError):
        await read_to_end(aredis, attempt)


LOSE_LAST = """
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[2], '+', '-')) do
  redis.call('XDEL', KEYS[2], entry[1])
  if entry[2][2] == 'chunk' then return redis.call('HSET', KEYS[1], 'bytes', entry[2][4]) end
end
"""
"""Deletes the last chunk and the entries after it. An entry is a list of fields and values: `kind`, …, `at`, …"""


async def test_audio_that_redis_has_lost_is_written_again(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, redis: Redis, plain: Plain
) -> None:
    """The same happens in a restart of Redis that loses the last second of its writes."""
    utterance = an_utterance(text_of(5), format="mp3")
    sound = await plain(utterance)
    engine = GatedEngine()
    attempt = await attached(registry, utterance)
    speaks = speech(speaking_with(engine), utterance)
    engine.release(2)
    await asyncio.to_thread(engine.wait_begun, 3)
    await until(lambda: int(record(redis, utterance).get("bytes", 0)) > 0)
    redis.eval(LOSE_LAST, 2, *attempt.both)

    engine.release(100)
    await speaks

    audio, _ = await read_to_end(aredis, attempt)
    assert audio == sound.data


async def test_an_attempt_without_living_readers_is_abandoned(
    speaking_with: SpeakingWith, registry: Registry, redis: Redis
) -> None:
    engine = GatedEngine()
    utterance = an_utterance(text_of(5))
    attempt = await attached(registry, utterance)
    speaking = speaking_with(engine)
    speaks = speech(speaking, utterance)
    await asyncio.to_thread(engine.wait_begun, 1)

    speaking.abandon_unread()
    assert redis.exists(*attempt.both) == 2
    redis.delete(keys.api("api"))
    speaking.abandon_unread()
    engine.release(100)
    await speaks

    assert redis.exists(*attempt.both) == 0
    assert len(engine.spoken) < 5


async def test_a_process_has_one_runtime_or_none(speaking_with: SpeakingWith) -> None:
    with pytest.raises(RuntimeError, match="koe worker"):
        runtime.current()
    one = speaking_with(ToneEngine())

    runtime.install(one)
    assert runtime.current() is one

    runtime.install(None)
    with pytest.raises(RuntimeError):
        runtime.current()


async def test_closing_ends_threads_and_engines(speaking_with: SpeakingWith) -> None:
    closed: list[bool] = []

    class ClosingEngine(ToneEngine):
        def close(self) -> None:
            closed.append(True)

    one = speaking_with(ClosingEngine())

    one.close()

    assert closed == [True]
    wait_until(lambda: not any(thread.is_alive() for thread in one.scheduler._threads))


ROOM = 10**8
"""Bytes for segments that other texts may use."""


class OtherEngine(GatedEngine):
    """The same engine with other files: its audio is different."""

    identity = "tone of another kind"

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        return [Waveform(-waveform.samples, waveform.words) for waveform in super().synthesize(segments, turn)]


def an_open_gate(kind: type[GatedEngine] = GatedEngine) -> GatedEngine:
    engine = kind()
    engine.release(100)
    return engine


@pytest.mark.parametrize("format_name", ["pcm", "mp3"])
async def test_a_segment_that_was_spoken_in_one_text_is_not_spoken_in_another_on_any_worker(
    format_name: str, speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, plain: Plain
) -> None:
    """`other` begins like `first`, but then its sentences have another order, and its third sentence ends a paragraph. Only the
    first two are spoken in pieces, so they are found only there.
    """
    begin, then, one, two, three = (
        text_of(1, subject) for subject in ("old ship", "grey gull", "birch canoe", "quick fox", "lazy dog")
    )
    first, other = (
        an_utterance(f"{begin} {then} {text}", format=format_name)
        for text in (f"{one} {two} {three}", f"{one}\n\n{three} {two} {two}")
    )
    sounds = [await plain(utterance) for utterance in (first, other)]
    engines = [an_open_gate() for _ in range(2)]

    for utterance, sound, engine in zip((first, other), sounds, engines, strict=True):
        attempt = await attached(registry, utterance)
        await speech(speaking_with(engine, f"w{id(engine)}", segment_bytes=ROOM), utterance)
        audio, _ = await read_to_end(aredis, attempt)
        assert audio == sound.data

    assert [sound.n_segments for sound in sounds] == [5, 6]
    assert [len(engine.spoken) for engine in engines] == [5, 0]


async def test_without_room_for_segments_each_text_is_spoken(
    speaking_with: SpeakingWith, registry: Registry, redis: Redis
) -> None:
    engine = an_open_gate()
    speaking = speaking_with(engine, segment_bytes=0)
    for format_name in ("pcm", "wav"):
        utterance = an_utterance(format=format_name)
        await attached(registry, utterance)
        await speech(speaking, utterance)

    assert len(engine.spoken) == 2
    assert not redis.keys("koe:segment*")


async def test_what_sounds_otherwise_is_spoken_again(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    engines = {"pcm": an_open_gate(), "wav": an_open_gate(OtherEngine)}
    heads = {"pcm": 0, "wav": 44}
    said = {}
    for format_name, engine in engines.items():
        utterance = an_utterance(text_of(3), format=format_name)
        attempt = await attached(registry, utterance)
        await speech(speaking_with(engine, format_name, segment_bytes=ROOM), utterance)
        audio, _ = await read_to_end(aredis, attempt)
        said[format_name] = audio[heads[format_name] :]

    assert [len(engine.spoken) for engine in engines.values()] == [3, 3]
    assert len(said["pcm"]) == len(said["wav"])
    assert said["pcm"] != said["wav"]


@pytest.mark.parametrize(
    ("asked_of", "found"),
    [(ToneEngine.identity, Found.HIT), (OtherEngine.identity, Found.MISS)],
    ids=["this engine", "another"],
)
async def test_finished_audio_is_found_again_only_where_it_sounds_as_was_asked(
    asked_of: str, found: Found, speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis
) -> None:
    """The fleet changes between the request and the worker that takes it."""
    utterance = an_utterance(identities=(short(asked_of),))
    attempt = await attached(registry, utterance)

    await speech(speaking_with(ToneEngine()), utterance)
    audio, _ = await read_to_end(aredis, attempt)
    await registry.detach(attempt)
    again = await registry.attach(utterance.id)

    assert audio
    assert again is not None
    assert again[0] is found


async def test_a_worker_with_another_engine_joins_the_segments_already_spoken(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, redis: Redis, plain: Plain
) -> None:
    """A worker dies while the fleet gets other files. The audio that its listener already has stays the same."""
    utterance = an_utterance(text_of(6))
    sound = await plain(utterance)
    dying, heir = GatedEngine(), an_open_gate(OtherEngine)
    attempt = await attached(registry, utterance)
    former = speech(speaking_with(dying, segment_bytes=ROOM), utterance)
    dying.release(3)
    await asyncio.to_thread(dying.wait_begun, 4)
    await until(lambda: int(record(redis, utterance).get("bytes", 0)) > 0)

    redis.delete(keys.worker("w"))
    await speech(speaking_with(heir, "heir", segment_bytes=ROOM), utterance)
    dying.release(100)
    await former

    audio, _ = await read_to_end(aredis, attempt)
    n_same = next(n for n, (ours, theirs) in enumerate(zip(audio, sound.data, strict=True)) if ours != theirs)
    assert len(heir.spoken) == 3
    assert 0.4 < n_same / len(audio) < 0.6


async def test_a_worker_that_takes_over_finds_segments_that_were_evicted_meanwhile(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, redis: Redis, plain: Plain
) -> None:
    first, other = an_utterance(text_of(3)), an_utterance(text_of(6))
    sound = await plain(other)
    await attached(registry, first)
    await speech(speaking_with(an_open_gate(), "first", segment_bytes=ROOM), first)
    dying, heir = GatedEngine(), an_open_gate()
    attempt = await attached(registry, other)
    former = speech(speaking_with(dying, segment_bytes=ROOM), other)
    await asyncio.to_thread(dying.wait_begun, 1)
    await until(lambda: int(record(redis, other).get("bytes", 0)) > 0)

    redis.delete(*redis.keys("koe:segment*"), keys.worker("w"))
    await speech(speaking_with(heir, "heir", segment_bytes=ROOM), other)
    dying.release(100)
    await former

    audio, _ = await read_to_end(aredis, attempt)
    assert audio == sound.data
    assert [one.text for one in heir.spoken] == [one.text for one in an_engines_segments(other.text)[3:]]


async def test_a_queued_segment_that_is_spoken_for_another_utterance_is_not_spoken_again(
    speaking_with: SpeakingWith, registry: Registry, aredis: AsyncRedis, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesizer, "_LONG_SECONDS", 0)
    utterances = [an_utterance(text_of(3), format=format_name) for format_name in ("pcm", "wav", "flac")]
    sounds = [await plain(utterance) for utterance in utterances]
    engine = GatedEngine()
    speaking = speaking_with(engine, segment_bytes=ROOM)
    attempts = [await attached(registry, utterance) for utterance in utterances]
    speeches = [speech(speaking, utterance) for utterance in utterances]
    await until(lambda: speaking.scheduler.n_waiting == 8)

    engine.release(3)
    await asyncio.gather(*speeches)

    assert len(engine.spoken) == 3
    for attempt, sound in zip(attempts, sounds, strict=True):
        audio, _ = await read_to_end(aredis, attempt)
        assert audio == sound.data


def an_engines_segments(text: str) -> list[Segment]:
    return list(segments_of(text, ToneEngine(), voice=VOICE, language="en-US", speed=1.0))
