"""Sends a webhook once: signed, to an address that was checked. `workers.jobs.webhooks` decides when.

Why addresses are checked again when the message is sent: the owner of a name may point it at a private address after the job
was created. The connection goes to exactly the checked address, no proxy is used, and redirects are not followed.
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

import httpx
import structlog

from app import __version__
from app.core.jobs.webhook_addresses import is_allowed
from app.core.jobs.webhook_url import PORTS

log: Final = structlog.get_logger()

TRY_SECONDS: Final = 5.0
"""Time limit of sending, including name resolution. It also limits a server that answers one byte at a time."""

_CONNECT_SECONDS: Final = 2.0
"""Time limit of connecting to one of the host's addresses."""
_MAX_LOOK_UPS: Final = 32
"""Most name look-ups at a time: a look-up may take half a minute and cannot be cancelled."""
_KEY_PREFIX: Final = "whsec_"


_look_ups: Final = threading.BoundedSemaphore(_MAX_LOOK_UPS)
_Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class _Refused(Exception):
    """The host has no address to which a webhook may be sent."""


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Returns the header `webhook-signature` of Standard Webhooks.

    `secret` is `whsec_` and base64, or any other string; the bytes of the latter are the key. `timestamp`: seconds since 1970.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key_of(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def deliver(url: str, *, secret: str, message_id: str, body: bytes, private: bool) -> int | None:
    """Sends the message once. Returns the status of the response; None without a response or without an allowed address.

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


async def _send(url: str, headers: dict[str, str], body: bytes, *, private: bool) -> int:
    target = httpx.URL(url)
    limits = httpx.Timeout(TRY_SECONDS, connect=_CONNECT_SECONDS)
    async with asyncio.timeout(TRY_SECONDS):
        addresses = await _look_up(target, private=private)
        # trust_env=False: a proxy would resolve the name again.
        async with httpx.AsyncClient(trust_env=False, timeout=limits, verify=_tls()) as client:
            for address in addresses[:-1]:
                with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return await _post(client, target, address, headers, body)
            return await _post(client, target, addresses[-1], headers, body)


async def _look_up(url: httpx.URL, *, private: bool) -> list[str]:
    """Returns the host's allowed addresses. Raises _Refused if there are none, OSError if the look-up fails."""
    port = url.port or PORTS[url.scheme]
    found = await asyncio.wrap_future(_begin_look_up(url.host, port))
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    allowed = [one for one in addresses if is_allowed(ipaddress.ip_address(one), private=private)]
    if not allowed:
        raise _Refused
    return allowed


def _begin_look_up(host: str, port: int) -> "Future[Sequence[_Found]]":
    """Resolves the name in a separate thread. Raises OSError if too many look-ups are running.

    Why not in the loop's own threads: the loop waits for them when it ends, so a DNS server that does not answer would block
    the caller.
    """
    if not _look_ups.acquire(blocking=False):
        raise OSError("Too many names are being looked up.")
    found: Future[Sequence[_Found]] = Future()
    # A running future cannot be cancelled, so the thread can always set it.
    found.set_running_or_notify_cancel()

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - border of a thread: raised where the answer is awaited
            found.set_exception(error)
        finally:
            _look_ups.release()

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    return found


async def _post(client: httpx.AsyncClient, url: httpx.URL, address: str, headers: dict[str, str], body: bytes) -> int:
    """Sends the message to `address` with the URL's host name. Reads only the head of the response."""
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
    """Trusts certifi's authorities and those of the machine, which may include the operator's own."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
