"""Rate limits of keys: requests in a period, and the status of a key after one."""

import re
from typing import Final

import msgspec

_PERIODS: Final = {"second": 1, "minute": 60, "hour": 3600}


class RateLimit(msgspec.Struct, frozen=True):
    """At most `n_requests` in any period of `seconds`; written as `60/minute`."""

    n_requests: int
    seconds: int

    def __str__(self) -> str:
        """The form that `parse_rate_limit` reads."""
        return f"{self.n_requests}/{next(name for name, seconds in _PERIODS.items() if seconds == self.seconds)}"


class RateLimitStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The rate-limit status of a key."""

    limit: RateLimit
    n_left: int
    """Requests that it may make at once."""
    reset_seconds: float
    """Seconds until it may make `limit.n_requests` again, if it makes none."""


def parse_rate_limit(text: str) -> RateLimit:
    """The limit that a text such as `60/minute`, `5/second` or `1000/hour` means. Raises ValueError."""
    match = re.fullmatch(r"([1-9]\d{0,5})\s*/\s*(second|minute|hour)", text.strip().lower())
    if match is None:
        raise ValueError("expected a limit such as 60/minute, 5/second or 1000/hour")
    return RateLimit(int(match[1]), _PERIODS[match[2]])
