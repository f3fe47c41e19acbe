"""Server-sent events: what ends them, and that everything is closed then."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from app.api.responses.events import EventStream
from app.core.errors import NoWorker
from tests.app.api.responses.wire import Wire

pytestmark = pytest.mark.anyio


async def test_events_end_with_their_source() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        yield b"1"
        yield b"2"

    wire = Wire()
    await EventStream(source())({}, wire.receive, wire.send)
    assert wire.text == b"data: 1\n\ndata: 2\n\n"
    assert wire.is_ended


async def test_a_client_that_disconnects_ends_the_source() -> None:
    wire, is_closed = Wire(), asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            yield b"1"
            wire.left.set()
            await asyncio.Event().wait()
        finally:
            is_closed.set()

    await EventStream(source())({}, wire.receive, wire.send)
    assert is_closed.is_set()
    assert wire.text == b"data: 1\n\n"


async def test_a_failure_breaks_the_connection_off() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        yield b"1"
        raise NoWorker("Redis is away.")

    wire = Wire()
    await EventStream(source())({}, wire.receive, wire.send)
    assert not wire.is_ended


async def test_a_server_that_leaves_breaks_them_off_so_that_the_client_comes_back() -> None:
    wire, leaving, is_closed = Wire(), asyncio.Event(), asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            yield b"1"
            leaving.set()
            await asyncio.Event().wait()
        finally:
            is_closed.set()

    await EventStream(source())({"state": {"leaving": leaving}}, wire.receive, wire.send)
    assert wire.text == b"data: 1\n\n"
    assert not wire.is_ended
    assert is_closed.is_set()


async def test_a_finite_event_stream_is_sent_to_its_end_by_a_server_that_stops() -> None:
    wire, leaving = Wire(), asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        leaving.set()
        yield b"1"
        await asyncio.sleep(0)
        yield b"2"

    await EventStream(source(), is_finite=True)({"state": {"leaving": leaving}}, wire.receive, wire.send)
    assert wire.text == b"data: 1\n\ndata: 2\n\n"
    assert wire.is_ended


async def test_the_source_of_the_events_is_closed_even_when_none_was_requested() -> None:
    wire, is_closed = Wire(), asyncio.Event()
    wire.left.set()

    async def source() -> AsyncGenerator[bytes, None]:
        await asyncio.Event().wait()
        yield b"1"

    async def close() -> None:
        is_closed.set()

    await EventStream(source(), close=close)({}, wire.receive, wire.send)
    assert is_closed.is_set()
