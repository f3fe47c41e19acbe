"""Whether an address can be reached, found out within a limit of time.

Why a thread: the limits of an HTTP client do not cover the look-up of a name, which can hang for half a minute by itself.
"""

import threading
import time
from typing import Final

import httpx

LIMIT_SECONDS: Final = 5.0


class Probe:
    """One HEAD request, begun at once and waited for later, so that several take no longer than one."""

    def __init__(self, url: str, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._url = url
        self._limit_seconds = limit_seconds
        self._deadline = time.monotonic() + limit_seconds
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def failure(self) -> str | None:
        """Why the address cannot be reached, as a short phrase; None when it can."""
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
