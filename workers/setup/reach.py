"""Tests within a time limit whether a URL can be reached.

Why a thread: the timeouts of an HTTP client do not cover name resolution, which alone can take half a minute.
"""

import threading
import time
from typing import Final

import httpx

LIMIT_SECONDS: Final = 5.0


class Probe:
    """One HEAD request. It starts in the constructor and is awaited later, so that several probes run at the same time."""

    def __init__(self, url: str, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._url = url
        self._limit_seconds = limit_seconds
        self._deadline = time.monotonic() + limit_seconds
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def failure(self) -> str | None:
        """Returns a short phrase that says why the URL cannot be reached; None if it can. Waits at most until the limit."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        if self._thread.is_alive():
            return f"no answer within {self._limit_seconds:g} s"
        return self._failure

    def _ask(self) -> None:
        try:
            status = httpx.head(self._url, timeout=self._limit_seconds).status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            self._failure = f"cannot be reached ({type(error).__name__})"
        else:
            self._failure = f"answered {status}" if status >= 400 else None
