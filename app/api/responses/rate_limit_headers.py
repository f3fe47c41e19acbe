"""The rate limit in OpenAI's headers: `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests`."""

import math
from typing import Final

from app.core.rate_limits import RateLimitStatus

_MINUTE: Final = 60
_HOUR: Final = 3600


def rate_headers(rate_limit_status: RateLimitStatus | None) -> dict[str, str]:
    """The headers; none for a key without a rate limit."""
    if rate_limit_status is None:
        return {}
    return {
        "x-ratelimit-limit-requests": str(rate_limit_status.limit.n_requests),
        "x-ratelimit-remaining-requests": str(max(0, rate_limit_status.n_left)),
        "x-ratelimit-reset-requests": show_duration(rate_limit_status.reset_seconds),
    }


def show_duration(seconds: float) -> str:
    """A duration in OpenAI's form, rounded up: `120ms`, `1s`, `6m0s`, `1h0m0s`."""
    if seconds < 1:
        return f"{math.ceil(1000 * max(0.0, seconds))}ms"
    whole = math.ceil(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    minutes = f"{whole % _HOUR // _MINUTE}m{whole % _MINUTE}s"
    return minutes if whole < _HOUR else f"{whole // _HOUR}h{minutes}"
