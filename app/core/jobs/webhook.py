"""Webhooks: where one may go, how it is signed, and how it is sent once; `workers.jobs.webhooks` says when.

Why addresses are judged as the message leaves and not only as the job is made: whoever owns a name may point it at a private
address later. The connection goes to the very address that was judged, no proxy is asked, and redirects are not followed.
"""

import asyncio
import base64
import binascii
import functools
import hashlib
import hmac
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import structlog

from app import __version__
from app.core.errors import InvalidValue
from app.core.jobs.webhook_addresses import is_allowed

log: Final = structlog.get_logger()

TRY_SECONDS: Final = 5.0
"""Longest that sending takes in all, looking up the name included; a server that answers a byte at a time takes no longer."""

_CONNECT_SECONDS: Final = 2.0
"""To one of the host's addresses."""
_MAX_LOOK_UPS: Final = 32
"""Look-ups at a time: the system gives one up only after half a minute, and it cannot be ended before."""
_MOST_URL_CHARS: Final = 2048
_PARAM: Final = "webhook_url"
_KEY_PREFIX: Final = "whsec_"
_PORTS: Final = {"http": 80, "https": 443}


_look_ups: Final = threading.BoundedSemaphore(_MAX_LOOK_UPS)
_Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class _Refused(Exception):
    """The host has no address that a webhook may be sent to."""


def check_url(url: str, *, private: bool) -> None:
    """Raises InvalidValue for what no webhook is sent to, as far as it can be told without looking the name up.

    `private`: whether private and loopback addresses are allowed.
    """
    if len(url) > _MOST_URL_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidValue(
            f"Invalid '{_PARAM}': expected at most {_MOST_URL_CHARS} printable ASCII characters without a space.", param=_PARAM
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


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`, as Standard Webhooks has it.

    `secret` is `whsec_` and base64, or any other string, whose bytes are then the key. `timestamp`: seconds since 1970.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key_of(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def deliver(url: str, *, secret: str, message_id: str, body: bytes, private: bool) -> int | None:
    """Sends the message once. The status of the answer, or None when there was none or no address is allowed.

    Blocks for TRY_SECONDS at most.
    """
    timestamp = int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": f"koe/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, message_id, timestamp, body),
    }
    try:
        return asyncio.run(_send(url, headers, body, private=private))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, _Refused) as error:
        log.info("webhook_unanswered", error=type(error).__name__)
        return None


def _key_of(secret: str) -> bytes:
    encoded = secret.removeprefix(_KEY_PREFIX)
    if encoded != secret:
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    return secret.encode()


def _host_of(url: str) -> str | None:
    """The host of an http or https URL without credentials; None for any other string."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        return None
    is_plain = parts.username is None and parts.password is None
    return host if is_plain and parts.scheme in _PORTS else None


def _is_surely_private(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not is_allowed(ipaddress.ip_address(name), private=False)
    except ValueError:
        return False


async def _send(url: str, headers: dict[str, str], body: bytes, *, private: bool) -> int:
    target = httpx.URL(url)
    limits = httpx.Timeout(TRY_SECONDS, connect=_CONNECT_SECONDS)
    async with asyncio.timeout(TRY_SECONDS):
        addresses = await _look_up(target, private=private)
        # trust_env=False: a proxy would look the name up once more.
        async with httpx.AsyncClient(trust_env=False, timeout=limits, verify=_tls()) as client:
            for address in addresses[:-1]:
                with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return await _post(client, target, address, headers, body)
            return await _post(client, target, addresses[-1], headers, body)


async def _look_up(url: httpx.URL, *, private: bool) -> list[str]:
    """The host's addresses that may be connected to. Raises _Refused when there is none, OSError when the look-up fails."""
    port = url.port or _PORTS[url.scheme]
    found = await asyncio.wrap_future(_begin_look_up(url.host, port))
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    allowed = [one for one in addresses if is_allowed(ipaddress.ip_address(one), private=private)]
    if not allowed:
        raise _Refused
    return allowed


def _begin_look_up(host: str, port: int) -> "Future[Sequence[_Found]]":
    """Looks the name up in a thread that nobody waits for: the loop's own threads are waited for when it ends, and a DNS server
    that does not answer would hold up the caller. Raises OSError when too many are under way.
    """
    if not _look_ups.acquire(blocking=False):
        raise OSError("Too many names are being looked up.")
    found: Future[Sequence[_Found]] = Future()
    # Running, it cannot be cancelled: the thread sets it in any case.
    found.set_running_or_notify_cancel()

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            found.set_exception(error)
        finally:
            _look_ups.release()

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    return found


async def _post(client: httpx.AsyncClient, url: httpx.URL, address: str, headers: dict[str, str], body: bytes) -> int:
    """Sends it to that address, in the name of the URL's host. Of the answer no more than its head is awaited."""
    async with client.stream(
        "POST",
        url.copy_with(host=address),
        headers={**headers, "host": url.netloc.decode()},
        content=body,
        follow_redirects=False,
        extensions={"sni_hostname": url.raw_host.decode()},
    ) as answer:
        return answer.status_code


@functools.cache
def _tls() -> ssl.SSLContext:
    """Trusts certifi's authorities, and those of the machine, where an operator has put their own."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
