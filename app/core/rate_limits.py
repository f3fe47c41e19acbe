"""How much a key may ask: so many requests in a stretch of time, and where it stands after one."""

import re
from typing import Final

import msgspec

_PERIODS: Final = {"second": 1, "minute": 60, "hour": 3600}


class RateLimit(msgspec.Struct, frozen=True):
    """At most `n_requests` in any stretch of `seconds`; written as `60/minute`."""

    n_requests: int
    seconds: int

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.n_requests}/{next(name for name, seconds in _PERIODS.items() if seconds == self.seconds)}"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a key stands that has a rate limit."""

    limit: RateLimit
    n_left: int
    """Requests that it may make at once."""
    reset_seconds: float
    """Until it may make as many as its limit says, if it makes none."""


def parse_rate_limit(text: str) -> RateLimit:
    """The limit that `60/minute` means, or `5/second`, `1000/hour`. Raises ValueError."""
    match = re.fullmatch(r"([1-9]\d{0,5})\s*/\s*(second|minute|hour)", text.strip().lower())
    if match is None:
        raise ValueError("expected a limit such as 60/minute, 5/second or 1000/hour")
    return RateLimit(int(match[1]), _PERIODS[match[2]])
