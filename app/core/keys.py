"""Every key that Koe keeps in Redis, what it holds and how long it lives. RQ's own keys begin with `rq:`.

| key | type | holds | lives |
|---|---|---|---|
| `koe:workers` | sorted set | names of worker processes by the time of their last heartbeat | for ever; gone names are swept |
| `koe:worker:<name>` | string | the worker's card (JSON): engines, slots | `KOE_WORKER_TIMEOUT` |
| `koe:utterance:<id>` | hash | its record: take, state, readers, worker, bytes | while it is wanted, then `KOE_CACHE_TTL` |
| `koe:audio:<id>:<take>` | stream | start · chunk … · stop or error | as the record |
| `koe:cache` | sorted set | ids of finished utterances by the time they were last asked for | swept as others finish |
| `koe:cache:sizes` | hash | id → bytes of the finished audio | as above |
| `koe:bell` | channel | the id of an utterance whose stream has grown | – |
| `koe:gone` | channel | the id of an utterance that nobody wants any more | – |
"""

from typing import Final

WORKERS: Final = "koe:workers"
CACHE: Final = "koe:cache"
CACHE_SIZES: Final = "koe:cache:sizes"
BELL: Final = "koe:bell"
GONE: Final = "koe:gone"
AUDIO: Final = "koe:audio:"


def worker(name: str) -> str:
    """The card of a worker process."""
    return f"koe:worker:{name}"


def utterance(utterance_id: str) -> str:
    """The record of an utterance."""
    return f"koe:utterance:{utterance_id}"


def audio(utterance_id: str, take: str) -> str:
    """The stream of one take: an utterance is taken again after a failure or a cancellation, and streams never mix."""
    return f"{AUDIO}{utterance_id}:{take}"
