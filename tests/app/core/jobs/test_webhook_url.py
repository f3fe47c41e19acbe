"""The URLs that a webhook may have."""

import pytest

from app.core.errors import InvalidValue
from app.core.jobs.webhook_url import check_url


@pytest.mark.parametrize(
    "url", ["https://example.com/hook", "http://example.com:8080/?a=b#c", "https://[2606:4700::1111]/", "http://8.8.8.8"]
)
def test_a_public_url_is_taken(url: str) -> None:
    check_url(url, private=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/hook",
        "http://LOCALHOST./hook",
        "http://a.localhost",
        "http://metadata.google.internal/",
        "http://127.0.0.1:9/",
        "http://10.1.2.3",
        "http://[::1]/",
        "http://[::ffff:192.168.0.1]/",
        "http://169.254.169.254/latest",
        "http://0.0.0.0/",
    ],
)
def test_a_url_that_is_surely_private_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidValue, match="KOE_WEBHOOK_PRIVATE") as caught:
        check_url(url, private=False)
    assert caught.value.param == "webhook_url"
    check_url(url, private=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "http://[",
        "http://a:99999/",
        "https://u:p@example.com",
        "https://@a.b",
        "https://a.b/ c",
        "https://a.b/\n",
        "https://ä.example",
        f"https://a.b/{'x' * 2048}",
        "https:///path",
    ],
)
def test_an_invalid_url_is_refused_even_where_private_ones_are_allowed(url: str) -> None:
    with pytest.raises(InvalidValue):
        check_url(url, private=True)
