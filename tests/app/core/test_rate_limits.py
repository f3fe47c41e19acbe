"""How a rate limit is written."""

import pytest

from app.core.rate_limits import RateLimit, parse_rate_limit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("60/minute", RateLimit(60, 60)),
        (" 5 / Second ", RateLimit(5, 1)),
        ("1000/hour", RateLimit(1000, 3600)),
    ],
)
def test_a_limit_is_read_and_written(text: str, limit: RateLimit) -> None:
    assert parse_rate_limit(text) == limit
    assert parse_rate_limit(str(limit)) == limit


@pytest.mark.parametrize("text", ["", "60", "60/day", "0/minute", "-1/minute", "1.5/second", "60/minute/2", "60 minute"])
def test_an_invalid_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="60/minute"):
        parse_rate_limit(text)
