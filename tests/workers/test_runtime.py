"""The runtime: one utterance from the ledger's claim to its end, in each way that it can end."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core import keys
from app.core.broker import Lane
from app.core.chunks import Bell, ChunkReader
from app.core.connections import connect
from app.core.errors import EngineFailed, EngineUnavailable, InternalError, InvalidValue
from app.core.fleet import WorkerCard, announce
from app.core.ledger import Found, Ledger, WorkerLedger
from app.core.utterance import Utterance
from app.core.voices import load_catalogue
from tests.audio import decode, ffmpeg
from tests.engines import FailingEngine, GatedEngine, text_of
from tests.house import wait_until
from workers import runtime
from workers.engines.base import Engine, Segment
from workers.engines.tone import ToneEngine
from workers.runtime import Runtime
from workers.scheduler import Scheduler

pytestmark = pytest.mark.anyio

VOICE = load_catalogue().parse("af_heart")[0]


def an_utterance(text: str = "Hello there.", **changes: Any) -> Utterance:
    fields: dict[str, Any] = {"text": text, "engine": "tone", "voice": VOICE, "language": "en-US", "format": "pcm"}
    return Utterance(**(fields | changes))


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as redis:
        announce(redis, WorkerCard(name="w", engines=("tone",)), 60, takes_work=True)
        yield redis


@pytest.fixture
def ledger(aredis: AsyncRedis) -> Ledger:
    return Ledger(aredis, cache_ttl=60, queued_ttl=60)


@pytest.fixture
def speaking_with(redis: Redis) -> Iterator[Callable[[Engine], Runtime]]:
    made: list[Runtime] = []

    def make(engine: Engine) -> Runtime:
        ledger = WorkerLedger(redis, worker="w", cache_ttl=60, cache_bytes=10**9)
        scheduler = Scheduler(n_threads=1)
        made.append(Runtime(redis=redis, ledger=ledger, engines={"tone": engine}, scheduler=scheduler, ffmpeg_path=ffmpeg()))
        return made[-1]

    yield make
    for one in made:
        one.close()


async def heard(aredis: AsyncRedis, take: Any) -> tuple[bytes, ChunkReader]:
    reader = ChunkReader(aredis, Bell(aredis), take)
    return b"".join([chunk async for chunk in reader]), reader


async def test_an_utterance_that_is_wanted_is_spoken_and_kept(
    speaking_with: Callable[[Engine], Runtime], ledger: Ledger, aredis: AsyncRedis
) -> None:
    utterance = an_utterance()
    _, take = await ledger.attach(utterance.id)

    await asyncio.to_thread(speaking_with(ToneEngine()).speak, utterance, Lane.INTERACTIVE)

    audio, reader = await heard(aredis, take)
    assert reader.report is not None
    assert reader.report.n_segments == 1
    assert reader.report.n_phonemes == 12
    assert reader.report.n_bytes == len(audio)
    assert reader.report.audio_seconds * 24_000 == len(decode(audio, "pcm"))
    assert (await ledger.attach(utterance.id))[0] is Found.HIT


async def test_what_nobody_wants_is_not_spoken(speaking_with: Callable[[Engine], Runtime], redis: Redis) -> None:
    engine = GatedEngine()

    speaking_with(engine).speak(an_utterance(), Lane.INTERACTIVE)

    assert engine.n_begun == 0
    assert redis.keys("koe:audio:*") == []


async def test_what_an_engine_breaks_reaches_the_reader_and_the_queue(
    speaking_with: Callable[[Engine], Runtime], ledger: Ledger, aredis: AsyncRedis
) -> None:
    utterance = an_utterance(text_of(6))
    _, take = await ledger.attach(utterance.id)

    with pytest.raises(EngineFailed):
        await asyncio.to_thread(speaking_with(FailingEngine(fail_at=1)).speak, utterance, Lane.INTERACTIVE)

    with pytest.raises(InternalError):
        await heard(aredis, take)
    assert (await ledger.attach(utterance.id))[0] is Found.MISS


class PickyEngine(ToneEngine):
    def prepare(self, *args: Any, **kwargs: Any) -> Iterator[Segment]:
        raise InvalidValue("That cannot be said.", param="input")


async def test_a_fault_of_the_request_reaches_the_reader_and_not_the_queue(
    speaking_with: Callable[[Engine], Runtime], ledger: Ledger, aredis: AsyncRedis
) -> None:
    utterance = an_utterance()
    _, take = await ledger.attach(utterance.id)

    await asyncio.to_thread(speaking_with(PickyEngine()).speak, utterance, Lane.INTERACTIVE)

    with pytest.raises(InvalidValue, match="cannot be said"):
        await heard(aredis, take)


async def test_an_engine_that_is_not_here_reaches_the_reader_by_name(
    speaking_with: Callable[[Engine], Runtime], ledger: Ledger, aredis: AsyncRedis
) -> None:
    utterance = an_utterance(engine="kokoro")
    _, take = await ledger.attach(utterance.id)

    with pytest.raises(EngineUnavailable):
        await asyncio.to_thread(speaking_with(ToneEngine()).speak, utterance, Lane.INTERACTIVE)

    with pytest.raises(EngineUnavailable, match="kokoro"):
        await heard(aredis, take)


class BuggyEngine(ToneEngine):
    def prepare(self, *args: Any, **kwargs: Any) -> Iterator[Segment]:
        raise KeyError("a secret of the house")


async def test_an_unforeseen_error_reaches_the_reader_without_its_words(
    speaking_with: Callable[[Engine], Runtime], ledger: Ledger, aredis: AsyncRedis
) -> None:
    utterance = an_utterance()
    _, take = await ledger.attach(utterance.id)

    with pytest.raises(KeyError):
        await asyncio.to_thread(speaking_with(BuggyEngine()).speak, utterance, Lane.INTERACTIVE)

    with pytest.raises(InternalError) as caught:
        await heard(aredis, take)
    assert "secret" not in caught.value.message


async def test_a_take_that_is_cancelled_ends_between_two_segments(
    speaking_with: Callable[[Engine], Runtime], ledger: Ledger, redis: Redis
) -> None:
    engine = GatedEngine()
    speaking = speaking_with(engine)
    utterance = an_utterance(text_of(6))
    _, take = await ledger.attach(utterance.id)
    speech = asyncio.ensure_future(asyncio.to_thread(speaking.speak, utterance, Lane.INTERACTIVE))
    await asyncio.to_thread(engine.wait_begun, 1)
    await asyncio.to_thread(wait_until, lambda: speaking._scheduler.n_waiting == 2)

    assert await ledger.detach(take)
    speaking.cancel(utterance.id, take.token)
    engine.release(100)
    await speech

    assert engine.n_begun == 1
    assert not redis.exists(take.stream, keys.utterance(utterance.id))


async def test_a_take_that_is_cancelled_unheard_ends_at_its_next_chunk(
    speaking_with: Callable[[Engine], Runtime], ledger: Ledger, redis: Redis
) -> None:
    engine = GatedEngine()
    utterance = an_utterance(text_of(6))
    _, take = await ledger.attach(utterance.id)
    speech = asyncio.ensure_future(asyncio.to_thread(speaking_with(engine).speak, utterance, Lane.INTERACTIVE))
    await asyncio.to_thread(engine.wait_begun, 1)

    await ledger.detach(take)
    engine.release(1)
    await asyncio.to_thread(engine.wait_begun, 2)
    engine.release(100)
    await speech

    assert len(engine.spoken) < 6
    assert not redis.exists(take.stream)


async def test_to_cancel_another_take_of_the_same_utterance_does_nothing(
    speaking_with: Callable[[Engine], Runtime], ledger: Ledger, aredis: AsyncRedis
) -> None:
    engine = GatedEngine()
    speaking = speaking_with(engine)
    utterance = an_utterance(text_of(3))
    _, take = await ledger.attach(utterance.id)
    speech = asyncio.ensure_future(asyncio.to_thread(speaking.speak, utterance, Lane.INTERACTIVE))
    await asyncio.to_thread(engine.wait_begun, 1)

    speaking.cancel(utterance.id, "0000")
    speaking.cancel("unknown", take.token)
    engine.release(100)
    await speech

    _, reader = await heard(aredis, take)
    assert reader.report is not None
    assert reader.report.n_segments == len(engine.spoken) == 3


async def test_who_leaves_during_the_last_segment_leaves_it_to_the_next(
    speaking_with: Callable[[Engine], Runtime], ledger: Ledger, redis: Redis
) -> None:
    engine = GatedEngine()
    utterance = an_utterance()
    _, take = await ledger.attach(utterance.id)
    writing = redis.pipeline
    left: list[bool] = []
    loop = asyncio.get_running_loop()

    def leave_first(*args: Any, **kwargs: Any) -> Any:
        if not left:
            left.append(asyncio.run_coroutine_threadsafe(ledger.detach(take), loop).result(30))
        return writing(*args, **kwargs)

    redis.pipeline = leave_first  # type: ignore[method-assign]
    engine.release(1)
    await asyncio.to_thread(speaking_with(engine).speak, utterance, Lane.INTERACTIVE)

    assert left == [False]
    assert (await ledger.attach(utterance.id))[0] is Found.HIT


async def test_a_process_has_one_runtime_or_none(speaking_with: Callable[[Engine], Runtime]) -> None:
    with pytest.raises(RuntimeError, match="koe worker"):
        runtime.current()
    one = speaking_with(ToneEngine())

    runtime.install(one)
    assert runtime.current() is one

    runtime.install(None)
    with pytest.raises(RuntimeError):
        runtime.current()


async def test_closing_ends_threads_and_engines(redis: Redis) -> None:
    closed: list[bool] = []

    class ClosingEngine(ToneEngine):
        def close(self) -> None:
            closed.append(True)

    scheduler = Scheduler(n_threads=2)
    ledger = WorkerLedger(redis, worker="w", cache_ttl=60, cache_bytes=1)
    one = Runtime(redis=redis, ledger=ledger, engines={"tone": ClosingEngine()}, scheduler=scheduler, ffmpeg_path=ffmpeg())

    one.close()

    assert closed == [True]
    wait_until(lambda: not any(thread.is_alive() for thread in scheduler._threads))
