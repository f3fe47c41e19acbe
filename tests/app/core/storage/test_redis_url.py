"""The valid forms of `KOE_REDIS_URL`, and the messages about invalid ones, which never contain a part of a password."""

import pytest

from app.core.errors import Misconfigured
from app.core.storage.connections import connect
from app.core.storage.redis_url import read_redis_url, show_redis_url

SECRET = "hunter"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("redis://queue.example:6379", "redis://queue.example:6379"),
        ("redis://queue.example", "redis://queue.example"),
        ("rediss://koe:p%40ss%23@queue.example:6380/2?ssl_cert_reqs=none", None),
        ("redis://[::1]:6379/0", None),
        ("unix:///var/lib/koe/valkey.sock?db=1", None),
        ("valkey://queue.example:6379/1", "redis://queue.example:6379/1"),
        ("valkeys://queue.example", "rediss://queue.example"),
    ],
)
def test_a_server_by_every_form_of_its_url(text: str, url: str | None) -> None:
    place = read_redis_url(text)
    assert place.url == (url or text)
    assert place.sentinels == ()


def test_sentinels_are_several_addresses_a_service_and_a_database() -> None:
    place = read_redis_url("rediss+sentinel://koe:p%40ss@one:26380,two,[::1]:7/queue/3?sentinel_password=s%40&ssl_ca_certs=/ca")
    assert place.sentinels == (("one", 26380), ("two", 26379), ("::1", 7))
    assert (place.service, place.is_tls) == ("queue", True)
    assert (place.sentinel_username, place.sentinel_password) == (None, "s@")
    assert place.at(("primary", 6)) == "rediss://koe:p%40ss@primary:6/3?ssl_ca_certs=/ca"
    assert place.at(("::1", 6)).startswith("rediss://koe:p%40ss@[::1]:6/3")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:6379",
        "http://queue.example",
        '"redis://queue.example"',
        "redis://",
        "redis://:6379",
        "redis://queue.example:port",
        "redis://queue.example:70000",
        "redis://queue.example/zero",
        "redis://[::1",
        "redis://queue.example?protocol=x",
        "unix://",
        "redis+sentinel://one:1,two:2",
        "redis+sentinel://one:1,:2/queue",
        "redis+sentinel://one:1/queue/zero",
    ],
)
def test_an_invalid_url_ends_with_a_sentence_that_names_the_setting(text: str) -> None:
    with pytest.raises(Misconfigured, match="KOE_REDIS_URL") as caught:
        connect(text)
    assert "redis://HOST:PORT" in str(caught.value) or "percent-encode" in str(caught.value)


@pytest.mark.parametrize("mark", ["@", "#", "/", "?", "@#", "/@", "?@", "#@", "[", "@@/?#"])
@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+sentinel"])
def test_a_password_that_is_not_encoded_is_reported_and_no_part_of_it_is_shown(scheme: str, mark: str) -> None:
    text = f"{scheme}://koe:{SECRET}{mark}{SECRET}x@queue.example:6379/{'queue' if 'sentinel' in scheme else '0'}"
    with pytest.raises(Misconfigured, match="percent-encode") as caught:
        read_redis_url(text)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__


def test_only_the_address_of_a_url_is_shown() -> None:
    assert show_redis_url("rediss://koe:secret@queue.example:1/2?ssl_ca_certs=/ca") == "rediss://queue.example:1/2"
    assert show_redis_url("unix:///a/b.sock") == "unix:///a/b.sock"
