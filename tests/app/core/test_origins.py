"""The origins that a setting may contain."""

import pytest

from app.core.origins import check_origin


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://app.example.com",
        "http://localhost:3000",
        "https://example.com:8443",
        "http://127.0.0.1:5173",
        "http://[::1]:8080",
        "chrome-extension://gppongmhjkpfnbhagpmjfkannfbllamg",
        "tauri://localhost",
        "https://Example.COM",
    ],
)
def test_an_origin_that_a_browser_could_send_is_accepted(origin: str) -> None:
    check_origin(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "example.com",
        "localhost:3000",
        "//example.com",
        "https://",
        "https://example.com/",
        "https://example.com/app",
        "https://example.com?x=1",
        "https://me@example.com",
        "https://*.example.com",
        "https://*",
        "https://exämple.com",
        "https://example.com:port",
        "https://a.example https://b.example",
    ],
)
def test_anything_else_is_refused_by_name_and_with_an_example(origin: str) -> None:
    with pytest.raises(ValueError, match=r"such as https://app\.example\.com") as refused:
        check_origin(origin)
    assert repr(origin) in str(refused.value)


@pytest.mark.parametrize("origin", ["https://example.com:443", "http://example.com:80"])
def test_a_port_that_browsers_leave_out_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="leave out"):
        check_origin(origin)
