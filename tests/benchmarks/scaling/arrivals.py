"""A day of requests: Poisson, with a daily curve and a burst; lengths as in the other benchmarks."""

import math
import random
from collections.abc import Iterator

import msgspec

from tests.benchmarks.plan import FULL
from tests.benchmarks.scaling.measured import Measured

DAY_SECONDS = 86_400.0


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests come when."""

    n_requests: int = 50_000
    """Expected requests of the day, without the burst."""
    seconds: float = DAY_SECONDS
    peak_hour: float = 15.0
    swing: float = 0.9
    """Height of the daily curve: the rate goes from 1 - swing to 1 + swing times the mean."""
    burst_hour: float = 20.0
    burst_minutes: float = 10.0
    burst_factor: float = 4.0

    def rate(self, at: float) -> float:
        """Requests per second at that second of the day."""
        curve = 1 + self.swing * math.cos(2 * math.pi * (at / 3600 - self.peak_hour) / 24)
        begin = self.burst_hour * 3600
        in_burst = begin <= at < begin + 60 * self.burst_minutes
        return self.n_requests / DAY_SECONDS * curve * (self.burst_factor if in_burst else 1.0)

    @property
    def max_rate(self) -> float:
        """A rate that is never exceeded."""
        return self.n_requests / DAY_SECONDS * (1 + self.swing) * max(1.0, self.burst_factor)


class Request(msgspec.Struct, frozen=True):
    """One request."""

    at: float
    """Second of the day."""
    segments: tuple[float, ...]
    """Seconds of audio of each segment."""

    @property
    def audio_seconds(self) -> float:
        """Seconds of all its audio."""
        return sum(self.segments)


def arrivals(demand: Demand, measured: Measured, seed: int) -> list[Request]:
    """Returns the requests of the day in order; the same for the same seed."""
    chosen = random.Random(seed)
    return [Request(at, divide(_audio_seconds(chosen, measured), measured)) for at in _times(demand, chosen)]


def _times(demand: Demand, chosen: random.Random) -> Iterator[float]:
    """Yields the times of a Poisson process, by thinning one of the highest rate."""
    at = chosen.expovariate(demand.max_rate)
    while at < demand.seconds:
        if chosen.random() * demand.max_rate < demand.rate(at):
            yield at
        at += chosen.expovariate(demand.max_rate)


def _audio_seconds(chosen: random.Random, measured: Measured) -> float:
    return chosen.randint(*FULL.text_characters) * measured.seconds_per_character


def divide(audio_seconds: float, measured: Measured) -> tuple[float, ...]:
    """Divides a text into its segments: a short one, then equal ones."""
    first = min(audio_seconds, measured.first_segment_seconds)
    n_others = math.ceil((audio_seconds - first) / measured.segment_seconds)
    return (first, *([(audio_seconds - first) / n_others] * n_others if n_others else ()))
