"""Traffic for the dashboard: it makes every kind of event that Koe counts happen, in about a minute."""

import asyncio
import base64
import hashlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx

from tests.benchmarks.processes import Served, served
from tests.benchmarks.texts import text_of
from tests.receivers import Receiver, open_receiver

KEY: Final = "sk-koe-listener"
LIMITED_KEY: Final = "sk-koe-limited"
LIMIT: Final = "5/minute"
MAX_JOB_SECONDS: Final = 300
FORMATS: Final = ("mp3", "pcm", "opus", "wav")
N_TEXTS: Final = 80
"""Texts that listeners ask for: few enough that some are in the cache, and too many to be all there."""
CALM_CLIENTS: Final = 3
BUSY_CLIENTS: Final = 40

Json = dict[str, Any]


@contextmanager
def two_workers(engine: str, folder: Path) -> Iterator[Served]:
    """Yields a `koe serve` with two workers, few slots and small caches, so that utterances wait and caches overflow."""
    settings = {
        "KOE_ENGINE": engine,
        "KOE_API_KEYS_FILE": str(_keys(folder)),
        "KOE_SLOTS": "4",
        "KOE_MAX_QUEUE": "16",
        "KOE_CACHE_BYTES": "2000000",
        "KOE_SEGMENT_BYTES": "3000000",
        "KOE_MAX_JOB_SECONDS": str(MAX_JOB_SECONDS),
        "KOE_WEBHOOK_SECRET": "whsec_" + base64.b64encode(bytes(32)).decode(),
        "KOE_WEBHOOK_PRIVATE": "true",
    }
    if "KOE_MODEL_DIR" in os.environ:
        settings["KOE_MODEL_DIR"] = os.environ["KOE_MODEL_DIR"]
    with served("--workers", "2", **settings) as server:
        yield server


def _keys(folder: Path) -> Path:
    path = folder / "keys.toml"
    limits = {KEY: "", LIMITED_KEY: f'rate_limit = "{LIMIT}"'}
    entries = (
        f'[[keys]]\nname = "{key[7:]}"\nsha256 = "{hashlib.sha256(key.encode()).hexdigest()}"\n{limit}\n'
        for key, limit in limits.items()
    )
    path.write_text("\n".join(entries))
    return path


def run(server: Served, seconds: float) -> None:
    """Sends requests: a few clients, then many, then a few. Meanwhile jobs are spoken, and one worker is killed."""
    with open_receiver() as receiver:
        asyncio.run(_Traffic(server, receiver, seconds).run())


class _Traffic:
    """All clients of one run."""

    def __init__(self, server: Served, receiver: Receiver, seconds: float) -> None:
        self._server = server
        self._hook = receiver.url
        receiver.answers = [(500, {})]
        self._start = time.monotonic()
        self._seconds = seconds
        self._http = httpx.AsyncClient(base_url=server.url, timeout=60, limits=httpx.Limits(max_connections=None))

    async def run(self) -> None:
        async with self._http, asyncio.TaskGroup() as group:
            for number in range(CALM_CLIENTS):
                group.create_task(self._listen(number, 0.0, 1.0))
            for number in range(BUSY_CLIENTS):
                group.create_task(self._listen(100 + number, 0.35, 0.7))
            for other in (self._leave, self._err, self._share, self._work, self._kill):
                group.create_task(other())

    async def _until(self, share: float) -> None:
        """Waits until this share of the run is over."""
        await asyncio.sleep(max(0.0, self._start + share * self._seconds - time.monotonic()))

    def _goes_on(self, share: float) -> bool:
        return time.monotonic() < self._start + share * self._seconds

    async def _listen(self, number: int, begin: float, end: float) -> None:
        """Asks for one text after the other. Some texts come back, so that the cache has them."""
        chosen = random.Random(number)
        await self._until(begin)
        while self._goes_on(end):
            one = chosen.randrange(N_TEXTS)
            text = text_of(60 + 3 * one, one)
            is_heard = await self._speak(text, KEY, response_format=FORMATS[one % len(FORMATS)])
            await asyncio.sleep(chosen.uniform(0.1, 0.6) if is_heard else 1.0)

    async def _leave(self) -> None:
        """Disconnects while a long text is spoken, so that it is cancelled."""
        number = 0
        while self._goes_on(0.95):
            number += 1
            body = self._body(text_of(3_000, 10_000 + number))
            with suppress(httpx.HTTPError):
                async with self._http.stream("POST", "/v1/audio/speech", json=body, headers=_key(KEY)) as answer:
                    await anext(answer.aiter_bytes(), b"")
            await asyncio.sleep(2.0)

    async def _err(self) -> None:
        """Makes mistakes, and asks more often than a key may."""
        while self._goes_on(0.95):
            await self._speak("Hello.", KEY, voice="nobody")
            await self._speak("Hello.", "sk-wrong")
            await self._speak("Hello.", LIMITED_KEY)
            await self._http.get("/v1/nothing", headers=_key(KEY))
            await asyncio.sleep(1.5)

    async def _share(self) -> None:
        """Two listeners ask for the same text at the same time."""
        number = 0
        while self._goes_on(0.95):
            number += 1
            text = text_of(800, 20_000 + number)
            await asyncio.gather(self._speak(text, KEY), self._speak(text, KEY))
            await asyncio.sleep(1.0)

    async def _work(self) -> None:
        """Jobs: some end well, one is cancelled, one is too long."""
        for number in range(3):
            await self._job(text_of(1_200, 30_000 + number))
            await self._until(0.1 * (number + 1))
        stopped = await self._job(text_of(20_000, 40_000))
        await self._http.post(f"/v1/audio/speech/jobs/{stopped}/cancel", headers=_key(KEY))
        await self._job(text_of(40_000, 50_000))
        await self._until(0.6)
        await self._job(text_of(1_000, 60_000))

    async def _job(self, text: str) -> str:
        """Submits a job, again after a refusal. Returns its id."""
        body = self._body(text) | {"webhook_url": self._hook}
        answer = await self._http.post("/v1/audio/speech/jobs", json=body, headers=_key(KEY))
        if answer.is_error:
            await asyncio.sleep(1.0)
            return await self._job(text)
        return str(answer.json()["id"])

    async def _kill(self) -> None:
        """Kills a worker in the middle. `koe serve` starts another one."""
        await self._until(0.5)
        os.kill(self._server.worker_pids()[0], signal.SIGKILL)

    async def _speak(self, text: str, key: str, **fields: Any) -> bool:
        """Asks for speech. Returns False if it was refused or broken off: that too is an event that Koe counts."""
        try:
            answer = await self._http.post("/v1/audio/speech", json=self._body(text) | fields, headers=_key(key))
        except httpx.HTTPError:
            return False
        return answer.is_success

    @staticmethod
    def _body(text: str) -> Json:
        return {"model": "tts-1", "voice": "af_heart", "input": text}


def _key(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@contextmanager
def short_folder() -> Iterator[Path]:
    """Yields a folder for keys and for Prometheus' data, deleted with the context."""
    with tempfile.TemporaryDirectory(prefix="koe-panels-") as folder:
        yield Path(folder)
