"""The pace of this worker: the seconds between the first audio of one utterance and the first audio of the next.

Why it is measured at the stream and not at the engine: listeners wait for a slot, a compute thread, an encoder and Redis, and
the measurement includes whichever is scarce now. The API multiplies it by the number of waiting utterances, and so knows
whether one more would get its first audio in time.

Why an expected pace counts like a few measurements: the first request after a start may be a single word, which all threads
speak together. A burst after it would be admitted as if everybody asked for one word.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

_MEMORY: Final = 0.9
"""Weight of the old measurements when a new one is added: about the last ten utterances determine the pace."""

_EXPECTED_WEIGHT: Final = 2.0
"""The expected pace counts like this many measurements."""

_MAX_TIMES: Final = 4.0
"""A measurement counts as at most this many times the old pace: a process that was suspended for a minute is as fast as before.
If a process has become slower, a few measurements show it.
"""


class FirstAudioPace:
    """Measures the pace from the start, the first audio and the end of each utterance. Thread-safe."""

    def __init__(self, n_threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`n_threads`: while more utterances than this wait for their first audio, the worker is busy."""
        self._n_threads = n_threads
        self._clock = clock
        self._lock = threading.Lock()
        self._begun_at: dict[str, float] = {}
        self._busy_since: float | None = None
        """Time of the last first audio, if more utterances than threads have waited since then."""
        self._calm_since = float("-inf")
        """Time since which at most as many utterances as threads wait for their first audio."""
        self._seconds = self._n = 0.0
        self._is_measured = False

    @property
    def seconds(self) -> float:
        """Seconds from one first audio to the next while the worker is busy. Before a measurement: the expected value, or 0."""
        return self._seconds / self._n if self._n else 0.0

    def expect(self, seconds: float) -> None:
        """Sets the pace before any measurement."""
        with self._lock:
            self._seconds, self._n = _EXPECTED_WEIGHT * seconds, _EXPECTED_WEIGHT

    def begin(self, name: str) -> None:
        """Records the start of an utterance that has no audio yet."""
        with self._lock:
            self._begun_at[name] = self._clock()

    def record_first_audio(self, name: str) -> None:
        """Records the first audio of an utterance. Later calls do nothing."""
        with self._lock:
            begun_at = self._begun_at.pop(name, None)
            if begun_at is None:
                return
            now = self._clock()
            if self._busy_since is not None:
                self._measure(now - self._busy_since)
            else:
                # A single utterance has all threads for itself. While the worker was busy, it may have waited for others.
                seconds = now - max(begun_at, self._calm_since)
                self._measure(seconds / min(self._n_threads, 1 + len(self._begun_at)))
            self._note_state(now)

    def end(self, name: str) -> None:
        """Records the end of an utterance, successful or not."""
        with self._lock:
            if self._begun_at.pop(name, None) is not None and not self._is_busy():
                self._note_state(self._clock())

    def _is_busy(self) -> bool:
        return len(self._begun_at) > self._n_threads

    def _note_state(self, now: float) -> None:
        """Called after a first audio, and when the worker may not be busy any more."""
        if self._is_busy():
            self._busy_since = now
        elif self._busy_since is not None:
            self._busy_since, self._calm_since = None, now

    def _measure(self, seconds: float) -> None:
        seconds = min(seconds, _MAX_TIMES * self.seconds) if self._is_measured else seconds
        self._is_measured = True
        self._seconds = _MEMORY * self._seconds + seconds
        self._n = _MEMORY * self._n + 1
