"""Makes what serves Wyoming clients, where the settings ask for it.

Why the imports stand inside a function: the packages are optional, and without the setting nothing of them is loaded.

Why a missing package ends the start: the setting is Koe's own, so whoever sets it wants to be heard there.
"""

import asyncio
import importlib.util
from collections.abc import Callable
from typing import Protocol

from app.access.keyring import Keyring
from app.access.limiter import Limiter
from app.api.measures import Metrics
from app.api.requests.reader import RequestReader
from app.core.errors import KoeError, Misconfigured
from app.core.host import remedies
from app.delivery.delivery import Delivery


class Session(Protocol):
    """One connection of a client. `check` must be called about once a second."""

    idle_since: float | None
    """When it began to wait for a request, by the loop's clock; None while one is received or spoken."""

    async def run(self) -> None:
        """Serves the client until it leaves."""
        ...

    async def refuse(self, error: KoeError) -> None:
        """Tells the client that it is not served, and closes the connection."""
        ...

    def leave(self) -> None:
        """Closes the connection when nothing is spoken and no request has come for a moment: the server ends."""
        ...

    def check(self, now: float) -> None:
        """Closes the connection when the client has taken too long. `now`: by the loop's clock."""
        ...

    def close(self) -> None:
        """Closes the connection; `run` then returns."""
        ...


MakeSession = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Session]
"""Makes the session of a new connection."""


def open_wyoming(
    *,
    keyring: Keyring,
    key_name: str,
    reader: RequestReader,
    delivery: Delivery,
    limiter: Limiter,
    metrics: Metrics,
    keep_alive_seconds: float,
    is_announced: bool,
) -> MakeSession:
    """Returns what makes sessions. `key_name`: the key whose limits all clients share; empty on a server without keys.

    Raises Misconfigured when a package is missing (with `is_announced` also `zeroconf`), or the key.
    """
    if keyring.find_named(key_name) is None:
        names = ", ".join(sorted(keyring.names.values())) or "none"
        raise Misconfigured(f"KOE_WYOMING_KEY must be the name of a key, and not the key itself. Names here: {names}.")
    if is_announced and importlib.util.find_spec("zeroconf") is None:
        raise Misconfigured(_not_installed("KOE_WYOMING_ZEROCONF", "zeroconf"))
    try:
        from app.api.live.wyoming.session import WyomingService, WyomingSession
        from app.api.live.wyoming.voices import describe
    except ImportError:
        raise Misconfigured(_not_installed("KOE_WYOMING", "wyoming")) from None
    service = WyomingService(
        info=describe(reader.catalogue).event(),
        keyring=keyring,
        key_name=key_name,
        reader=reader,
        delivery=delivery,
        limiter=limiter,
        metrics=metrics,
        keep_alive_seconds=keep_alive_seconds,
    )
    return lambda stream, writer: WyomingSession(stream, writer, service)


def _not_installed(setting: str, package: str) -> str:
    return (
        f"{setting} needs the package {package}, which is not here: run {remedies.install('wyoming')}, or remove the setting."
    )
