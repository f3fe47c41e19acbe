"""Estimates the seconds of audio that are not spoken yet: what a fleet must grow for.

Why seconds of audio and not entries of a queue: a worker takes many utterances at the same time, so the queue is empty while
hundreds of listeners already wait inside workers; and one entry is a word or a book.
"""

from collections.abc import Iterable
from typing import Final

from redis.asyncio import Redis as AsyncRedis

from app.core.queue.broker import QueueName
from app.core.queue.fleet import Registration
from app.core.speech.utterance import SECONDS_PER_BYTE
from app.core.storage import keys
from app.core.storage.lua import load_script

_MAX_ENTRIES: Final = 10_000
"""Most entries of the queue, and most jobs, that are looked at; Redis needs about 10 ms for as many."""


class WaitingAudio:
    """The estimate for each queue."""

    def __init__(self, redis: AsyncRedis, queue_key: str) -> None:
        """`queue_key`: RQ's key of the interactive queue."""
        self._keys = [queue_key, keys.JOBS_OPEN]
        self._estimate = redis.register_script(load_script(__file__, "waiting_audio"))

    async def now(self, workers: Iterable[Registration]) -> dict[QueueName, float]:
        """The seconds now. `workers` say how much the utterances in their slots still need. Raises RedisError."""
        queued, jobs = await self._estimate(keys=self._keys, args=[_MAX_ENTRIES, SECONDS_PER_BYTE])
        in_slots = sum(worker.vitals.waiting_seconds for worker in workers)
        return {QueueName.INTERACTIVE: float(queued) + in_slots, QueueName.BATCH: float(jobs)}
