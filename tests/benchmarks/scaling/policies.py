"""The three policies: a fixed fleet, CPU utilisation as Kubernetes' HPA does it, seconds of audio that wait as KEDA does it."""

import math
from collections import deque
from typing import Protocol

import msgspec
from typing_extensions import override


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy sees at one of its looks."""

    at: float
    n_workers: int
    """Workers that are wanted now: those that speak and those that start."""
    busy_share: float
    """Mean CPU utilisation of the wanted workers since the last look; one that starts counts as idle."""
    waiting_audio_seconds: float
    """Audio that is asked for and not spoken yet: `koe_waiting_audio_seconds`."""


class Policy(Protocol):
    """Decides how many workers there are."""

    name: str

    @property
    def n_first(self) -> int:
        """Workers at the beginning of the day."""
        ...

    def decide(self, seen: Seen) -> int:
        """Returns how many workers there should be from now on."""
        ...


class Fixed(Policy):
    """As many workers as at the beginning."""

    def __init__(self, n_workers: int) -> None:
        self.name = f"fixed fleet of {n_workers}"
        self._n_workers = n_workers

    @property
    @override
    def n_first(self) -> int:
        return self._n_workers

    @override
    def decide(self, seen: Seen) -> int:
        return self._n_workers


class _Autoscaler(Policy):
    """What HPA does with every metric: tolerance, bounded growth, and no shrinking before the window is over."""

    TOLERANCE = 0.1
    STABILIZATION_SECONDS = 300.0

    def __init__(self, name: str, *, n_least: int, n_most: int) -> None:
        self.name = name
        self._n_least = n_least
        self._n_most = n_most
        self._wishes: deque[tuple[float, int]] = deque()

    @property
    @override
    def n_first(self) -> int:
        return max(1, self._n_least)

    @override
    def decide(self, seen: Seen) -> int:
        wish = min(self._n_most, max(1, self._n_least, self._wish(seen)))
        self._wishes.append((seen.at, wish))
        while self._wishes[0][0] <= seen.at - self.STABILIZATION_SECONDS:
            self._wishes.popleft()
        highest = max(wish for _, wish in self._wishes)
        # HPA grows by at most four workers or to twice as many in 15 seconds.
        grown = min(wish, max(seen.n_workers + 4, 2 * seen.n_workers))
        return max(grown, min(seen.n_workers, highest))

    def _wish(self, seen: Seen) -> int:
        """How many workers the metric asks for."""
        raise NotImplementedError

    def _to_target(self, seen: Seen, ratio: float) -> int:
        """`ratio`: the metric, divided by its target."""
        return seen.n_workers if abs(ratio - 1) <= self.TOLERANCE else math.ceil(seen.n_workers * ratio)


class Utilisation(_Autoscaler):
    """HPA on the CPU utilisation of the workers."""

    def __init__(self, target: float, *, n_least: int, n_most: int) -> None:
        super().__init__(f"HPA, CPU {target:.0%}, from {n_least}", n_least=n_least, n_most=n_most)
        self._target = target

    @override
    def _wish(self, seen: Seen) -> int:
        return self._to_target(seen, seen.busy_share / self._target)


class WaitingAudio(_Autoscaler):
    """KEDA on the seconds of audio that wait: a worker for each `threshold`, and none when nothing came for some time."""

    COOLDOWN_SECONDS = 300.0

    def __init__(self, threshold: float, *, n_least: int, n_most: int) -> None:
        super().__init__(f"KEDA, {threshold:g} s of audio, from {n_least}", n_least=n_least, n_most=n_most)
        self._threshold = threshold
        self._active_at = 0.0

    @override
    def decide(self, seen: Seen) -> int:
        if seen.waiting_audio_seconds > 0:
            self._active_at = seen.at
        is_idle = seen.at - self._active_at >= self.COOLDOWN_SECONDS
        if not self._n_least and (is_idle or not (seen.n_workers or self._active_at == seen.at)):
            return 0
        return super().decide(seen)

    @override
    def _wish(self, seen: Seen) -> int:
        if not seen.n_workers:
            return math.ceil(seen.waiting_audio_seconds / self._threshold)
        return self._to_target(seen, seen.waiting_audio_seconds / (self._threshold * seen.n_workers))
