"""What a fleet needs of its Redis: bytes of a request that waits, bytes of cached audio, commands.

Why with espeak-ng: neither the bytes nor the commands depend on which engine speaks.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx
from redis import Redis

from app.core.queue.broker import Broker, QueueName
from app.core.queue.registry import Registry
from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from app.core.storage.connections import connect, connect_async
from app.core.storage.embedded_server import EmbeddedServer, embedded_url
from tests.benchmarks.cached_files import VOICE
from tests.benchmarks.figures import Row
from tests.benchmarks.processes import Served, served
from tests.benchmarks.report import Report
from tests.benchmarks.texts import text_of

_FORMATS: Final = ("pcm", "mp3", "opus", "aac", "flac", "wav")
_N_WAITING: Final = 200
_LENGTHS: Final = (100, 350, 600)
_SHORT, _LONG = 100, 4000
_N_REQUESTS: Final = 5
_N_CACHED: Final = 5
_IDLE_SECONDS: Final = 10.0
_SETTLE_SECONDS: Final = 1.5
"""Longer than the interval between two heartbeats."""


def measure_redis(report: Report) -> None:
    """Adds all sheets of this part."""
    with served(KOE_ENGINE="espeak") as server, connect(embedded_url(server.data)) as redis:
        note = "One API process and one worker; commands of scripts count. idle: when nothing happens."
        report.add("sizing.commands", "Commands to Redis", [_commands(server, redis)], note)
        texts = [text_of(_LENGTHS[-1], seed=number) for number in range(_N_CACHED)]
        seconds = sum(_speak(server, text, "pcm") for text in texts) / (SAMPLE_BYTES * SAMPLE_RATE_HZ)
    with served(KOE_ENGINE="espeak") as server, connect(embedded_url(server.data)) as redis:
        rows = [_cached(server, redis, name, texts, seconds) for name in _FORMATS]
        report.add("sizing.cached", "Bytes of finished audio in Redis, for each second", rows)
    rows = [{"characters": length, "bytes": waiting_bytes(length, _N_WAITING)} for length in _LENGTHS]
    report.add("sizing.waiting", f"Bytes of a request that waits, mean of {_N_WAITING}", rows)


def _commands(server: Served, redis: Redis) -> Row:
    """Counts commands without work, and with short and long texts: from these follow those of a request and of a second."""
    time.sleep(_SETTLE_SECONDS)
    before, started = _n_commands(redis), time.monotonic()
    time.sleep(_IDLE_SECONDS)
    idle = (_n_commands(redis) - before) / (time.monotonic() - started)
    short_seconds, short = _commands_of_texts(server, redis, _SHORT, idle)
    long_seconds, long = _commands_of_texts(server, redis, _LONG, idle)
    per_second = (long - short) / (long_seconds - short_seconds)
    return {"idle, per s": idle, "per request": short - per_second * short_seconds, "per second of audio": per_second}


def _commands_of_texts(server: Served, redis: Redis, n_characters: int, idle: float) -> tuple[float, float]:
    """Returns the seconds of audio and the commands of a request, without those that are sent when nothing happens."""
    before, started, n_bytes = _n_commands(redis), time.monotonic(), 0
    for number in range(_N_REQUESTS):
        n_bytes += _speak(server, text_of(n_characters, seed=n_characters + number), "pcm")
    n_commands = _n_commands(redis) - before - idle * (time.monotonic() - started)
    return n_bytes / (SAMPLE_BYTES * SAMPLE_RATE_HZ) / _N_REQUESTS, n_commands / _N_REQUESTS


def _cached(server: Served, redis: Redis, format_name: str, texts: list[str], seconds: float) -> Row:
    """`seconds`: audio of the texts."""
    time.sleep(_SETTLE_SECONDS)
    before = _used_bytes(redis)
    n_sent = sum(_speak(server, text, format_name) for text in texts)
    time.sleep(_SETTLE_SECONDS)
    return {"format": format_name, "in Redis": (_used_bytes(redis) - before) / seconds, "sent": n_sent / seconds}


def waiting_bytes(n_characters: int, n_waiting: int) -> float:
    """Returns the memory that a request takes while it waits, on a Valkey of its own. It is put there as the API does."""
    with tempfile.TemporaryDirectory(prefix="koe-") as folder:
        valkey = EmbeddedServer(Path(folder))
        valkey.start()
        try:
            with connect(valkey.url) as redis:
                _submit(redis, valkey.url, n_characters, range(1))
                before = _used_bytes(redis)
                _submit(redis, valkey.url, n_characters, range(1, 1 + n_waiting))
                return (_used_bytes(redis) - before) / n_waiting
        finally:
            valkey.stop()


def _submit(redis: Redis, url: str, n_characters: int, numbers: range) -> None:
    voice, broker = load_catalogue().parse(VOICE)[0], Broker(redis, max_queue=10**6)
    utterances = [
        Utterance(text=text_of(n_characters, number), engine="kokoro", voice=voice, language="en-US", format="mp3")
        for number in numbers
    ]
    asyncio.run(_attach(url, utterances))
    for utterance in utterances:
        broker.submit(utterance, QueueName.INTERACTIVE, request_id="req_" + utterance.id[:32], owner="0123456789abcdef")


async def _attach(url: str, utterances: list[Utterance]) -> None:
    async with connect_async(url) as redis:
        registry = Registry(redis, api="bench", cache_ttl=3600, cache_bytes=10**9, queued_ttl=3600, stream_bytes=10**9)
        for utterance in utterances:
            await registry.attach(utterance.id)


def _speak(server: Served, text: str, format_name: str) -> int:
    body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": format_name}
    answer = httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=120)
    answer.raise_for_status()
    return len(answer.content)


def _n_commands(redis: Redis) -> int:
    return int(redis.info("stats")["total_commands_processed"])


def _used_bytes(redis: Redis) -> int:
    return int(redis.info("memory")["used_memory"])
