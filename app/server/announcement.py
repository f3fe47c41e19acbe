"""Announces the address for Wyoming clients to the local network, over multicast DNS, so that Home Assistant finds it.

Why it is announced again every minute: while `koe serve` renews the API, the old process takes back the name that the new one
has announced before.

Why the imports stand inside a function: the packages are optional. `app.api.live.open_wyoming` has checked that they are here.

Why a failure is a line in the log and no more: a network without multicast is no reason to be silent to those who know the
address.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

import structlog

log: Final = structlog.get_logger()

_KIND: Final = "_wyoming._tcp.local."
_AGAIN_SECONDS: Final = 60.0


class Announcement:
    """A name, and the address that it stands for."""

    def __init__(self, name: str, sockets: Sequence[socket.socket]) -> None:
        """`sockets` listen on the same port."""
        self._name = name
        self._hosts = [str(listener.getsockname()[0]) for listener in sockets]
        self._port: int = sockets[0].getsockname()[1]
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to announce, in a task of its own."""
        self._task = asyncio.create_task(self._announce(), name="announcement")

    async def stop(self) -> None:
        """Takes the name back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _announce(self) -> None:
        try:
            await self._keep_announcing()
        except Exception as error:  # noqa: BLE001 - third party: zeroconf raises whatever a network gives it
            log.warning(
                "not_announced",
                reason=f"{type(error).__name__}: {error}",
                remedy="Clients that know the address can use it. KOE_WYOMING_ZEROCONF=off ends this message.",
            )

    async def _keep_announcing(self) -> None:
        import ifaddr
        from zeroconf import InterfaceChoice
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

        own = [host for host in self._hosts if not ipaddress.ip_address(host).is_unspecified]
        here = [str(address.ip) for adapter in ifaddr.get_adapters() for address in adapter.ips if address.is_IPv4]
        addresses = own or [address for address in here if not ipaddress.ip_address(address).is_loopback]
        info = AsyncServiceInfo(_KIND, f"{self._name}.{_KIND}", parsed_addresses=addresses, port=self._port)
        network = AsyncZeroconf(interfaces=own or InterfaceChoice.All)
        try:
            # During a renewal another process has the same name, so nobody asks whether it is free.
            await (await network.async_register_service(info, cooperating_responders=True))
            log.info("announced", name=self._name, addresses=addresses, port=self._port)
            while True:
                await asyncio.sleep(_AGAIN_SECONDS)
                await (await network.async_update_service(info))
        finally:
            await asyncio.shield(network.async_close())
