"""Checks the URL of a webhook without looking up its host; `workers.jobs.webhook_delivery` checks addresses when it sends.

Why it is checked before the job is created: a client that sends a URL that cannot work learns it at once.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

import httpx

from app.core.errors import InvalidValue
from app.core.jobs.webhook_addresses import is_allowed

PORTS: Final = {"http": 80, "https": 443}
"""Default ports of the schemes that a webhook may have."""

_MAX_URL_CHARS: Final = 2048
_PARAM: Final = "webhook_url"


def check_url(url: str, *, private: bool) -> None:
    """Raises InvalidValue for a URL to which no webhook is sent, as far as the URL alone shows.

    `private`: whether private and loopback addresses are allowed.
    """
    if len(url) > _MAX_URL_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidValue(
            f"Invalid '{_PARAM}': expected at most {_MAX_URL_CHARS} printable ASCII characters without a space.", param=_PARAM
        )
    host = _host_of(url)
    if not host:
        raise InvalidValue(
            f"Invalid '{_PARAM}': expected an http or https URL with a host and without a user name or password.", param=_PARAM
        )
    if not private and _is_surely_private(host):
        raise InvalidValue(
            f"Invalid '{_PARAM}': private and loopback addresses are not allowed here. Who runs this server can allow them "
            "with KOE_WEBHOOK_PRIVATE=true.",
            param=_PARAM,
        )


def _host_of(url: str) -> str | None:
    """The host of an http or https URL without credentials; None for any other string."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        return None
    is_plain = parts.username is None and parts.password is None
    return host if is_plain and parts.scheme in PORTS else None


def _is_surely_private(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not is_allowed(ipaddress.ip_address(name), private=False)
    except ValueError:
        return False
