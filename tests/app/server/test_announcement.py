"""The address for Wyoming clients is found by multicast DNS, and a network without it is no fault."""

import asyncio

import pytest
from structlog.testing import capture_logs
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from app.server.announcement import Announcement
from app.server.http_server import listening, port_of

pytestmark = pytest.mark.anyio

KIND = "_wyoming._tcp.local."
NAME = f"Koe in the hall.{KIND}"


async def test_a_name_stands_for_the_address_until_it_is_taken_back() -> None:
    with listening("127.0.0.1", 0) as sockets:
        announcement = Announcement("Koe in the hall", sockets)
        network = AsyncZeroconf(interfaces=["127.0.0.1"])
        try:
            announcement.start()
            info = AsyncServiceInfo(KIND, NAME)
            async with asyncio.timeout(30):
                while not await info.async_request(network.zeroconf, 500):
                    pass
            assert info.parsed_addresses() == ["127.0.0.1"]
            assert info.port == port_of(sockets)
            await announcement.stop()
            async with asyncio.timeout(30):
                while await AsyncServiceInfo(KIND, NAME).async_request(network.zeroconf, 100):
                    pass
        finally:
            await announcement.stop()
            await network.async_close()


async def test_a_network_without_multicast_is_one_line_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", refuse)
    with listening("127.0.0.1", 0) as sockets, capture_logs() as lines:
        announcement = Announcement("koe", sockets)
        announcement.start()
        assert announcement._task is not None
        await announcement._task
        await announcement.stop()

    (line,) = lines
    assert line["event"] == "not_announced"
    assert "No such device" in line["reason"]
    assert "KOE_WYOMING_ZEROCONF=off" in line["remedy"]
