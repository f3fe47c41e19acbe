"""The headers of rate limits, as OpenAI's clients read them."""

import pytest

from app.api.responses.rate_limit_headers import rate_headers, show_duration
from app.core.rate_limits import RateLimit, RateLimitStatus


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0ms"),
        (0, "0ms"),
        (0.0121, "13ms"),
        (0.9999, "1000ms"),
        (1, "1s"),
        (59.2, "1m0s"),
        (61, "1m1s"),
        (360, "6m0s"),
        (3600, "1h0m0s"),
        (3725.5, "1h2m6s"),
    ],
)
def test_a_duration_is_written_as_openai_writes_it(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


def test_a_key_without_a_limit_gets_no_headers() -> None:
    assert rate_headers(None) == {}


def test_the_headers_say_where_a_key_stands() -> None:
    assert rate_headers(RateLimitStatus(limit=RateLimit(60, 60), n_left=12, reset_seconds=4.2)) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "12",
        "x-ratelimit-reset-requests": "5s",
    }
