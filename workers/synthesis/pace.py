"""How fast this worker is at what its listeners wait for: the seconds between one first sound and the next.

Why it is measured at the listeners' end and not at the engine's: what they wait for is a slot, a compute thread, an encoder and
Redis, and whichever is scarce here and now is in the figure. The API multiplies it by those who wait already, and so knows
whether one more would be heard in time.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

_MEMORY: Final = 0.9
"""What a measurement still counts for after the next one: the pace is that of the last ten listeners or so."""

_MAX_TIMES: Final = 4.0
"""A measurement counts for no more than so many times the pace until then: a process that stood still for a minute is as fast
as before. One that has become slower is known to be after a few.
"""


class FirstSoundPace:
    """Told when an utterance is begun, first heard and ended; may be told from many threads."""

    def __init__(self, n_threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`n_threads` utterances are made ready at a time; while more wait, the worker is busy."""
        self._n_threads = n_threads
        self._expected_seconds = 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._begun_at: dict[str, float] = {}
        self._busy_since: float | None = None
        """The last first sound, if more utterances than there are threads have waited ever since."""
        self._seconds = self._n = 0.0

    @property
    def seconds(self) -> float:
        """Between two first sounds while the worker is busy; before anything was measured, what is expected, or 0."""
        return self._seconds / self._n if self._n else self._expected_seconds

    def expect(self, seconds: float) -> None:
        """What the first sound of one takes, as far as it is known before anybody listens.

        With as many threads it is not divided by them: listeners who have heard something want more of the same threads.
        """
        self._expected_seconds = seconds

    def begin(self, name: str) -> None:
        """An utterance is begun of which nothing has been heard."""
        with self._lock:
            self._begun_at[name] = self._clock()

    def heard(self, name: str) -> None:
        """Its first sound is there. Nothing happens at the second."""
        with self._lock:
            begun_at = self._begun_at.pop(name, None)
            if begun_at is None:
                return
            now = self._clock()
            if self._busy_since is not None:
                self._measure(now - self._busy_since)
            else:
                # One alone has all threads for itself.
                self._measure((now - begun_at) / min(self._n_threads, 1 + len(self._begun_at)))
            self._busy_since = now if self._is_busy() else None

    def end(self, name: str) -> None:
        """It has ended, well or not."""
        with self._lock:
            self._begun_at.pop(name, None)
            if not self._is_busy():
                self._busy_since = None

    def _is_busy(self) -> bool:
        return len(self._begun_at) > self._n_threads

    def _measure(self, seconds: float) -> None:
        seconds = min(seconds, _MAX_TIMES * self.seconds) if self._n else seconds
        self._seconds = _MEMORY * self._seconds + seconds
        self._n = _MEMORY * self._n + 1
