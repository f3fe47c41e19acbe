"""Hands the counts of a worker over to Redis, and reads the counts of the fleet.

Why differences and not the whole state: a worker that has died must not take its counts with it, and then nobody has to know
which workers there have been. The memory in Redis depends on the names of counts alone.

Why batches have numbers: when the answer to a batch was lost, the worker sends the same batch again, and Redis adds it once.

Why a reader remembers the largest value: a replica that becomes the primary may have lost the last seconds. Prometheus would
take a value that falls for a restart, and count all that came before once more.
"""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from redis import Redis

from app.core.metrics.samples import counts_of
from app.core.storage import keys
from app.core.storage.lua import load_script

HANDOVER_SECONDS: Final = 5.0
"""Interval at which a worker hands its counts over."""

_BATCH_TTL_SECONDS: Final = 86_400
"""Time for which the number of a worker's last batch is known; a worker repeats a batch for no longer."""

_SINCE: Final = b"since"
"""Field of `koe:metrics` with the time when the counts began: it differs after Redis has lost all of them."""


class Handover:
    """The counts of one worker on their way to Redis. Not thread-safe."""

    def __init__(self, redis: Redis, worker: str, registry: CollectorRegistry) -> None:
        """`worker`: a name that no other process has or had. `registry` holds its counts."""
        self._registry = registry
        self._keys = [keys.METRICS, keys.handed_over(worker)]
        self._add = redis.register_script(load_script(__file__, "add_counts"))
        self._handed_over: dict[str, float] = {}
        self._unanswered: dict[str, float] = {}
        """The state that a batch without an answer leads to; empty if there is none."""
        self._n_batches = 0

    def hand_over(self) -> None:
        """Adds what was counted since the last call to the counts of the fleet. Sends nothing if nothing was counted.

        Raises RedisError when Redis is unreachable; the next call adds what is missing.
        """
        if self._unanswered:
            self._send()
        self._unanswered = counts_of(self._registry)
        self._n_batches += 1
        self._send()

    def _send(self) -> None:
        changes = {name: n - self._handed_over.get(name, 0.0) for name, n in self._unanswered.items()}
        args: list[str | int] = [self._n_batches, _BATCH_TTL_SECONDS]
        for name, change in changes.items():
            if change:
                args += [name, repr(change)]
        if any(changes.values()):
            self._add(keys=self._keys, args=args)
        self._handed_over, self._unanswered = self._unanswered, {}


class FleetCounts:
    """The counts of the fleet, as one API process shows them: none ever falls, unless Redis has lost all of them."""

    def __init__(self) -> None:
        self._since = b""
        self._shown: dict[str, float] = {}

    def update(self, stored: Mapping[bytes, bytes]) -> dict[str, float]:
        """Returns the counts to show. `stored`: the hash `koe:metrics`."""
        since = stored.get(_SINCE, b"")
        if since != self._since:
            self._since, self._shown = since, {}
        for name, n in stored.items():
            if name != _SINCE:
                self._shown[name.decode()] = max(float(n), self._shown.get(name.decode(), 0.0))
        return self._shown
