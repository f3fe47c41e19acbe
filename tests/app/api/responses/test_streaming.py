"""Streamed answers: how they end, and that their source is closed in every case."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from app.api.facts import fault_in
from app.api.responses.streaming import StreamingResponse
from app.core.errors import StoreFailed
from tests.app.api.responses.wire import Wire

pytestmark = pytest.mark.anyio


class Source:
    """Parts of an answer; notes whether their generator and their source were closed."""

    def __init__(self, *parts: bytes, then: Exception | asyncio.Event | None = None) -> None:
        self._parts = parts
        self._then = then
        self.is_iterator_closed = False
        self.is_closed = False

    async def parts(self) -> AsyncGenerator[bytes, None]:
        try:
            for part in self._parts:
                yield part
            if isinstance(self._then, Exception):
                raise self._then
            if self._then is not None:
                self._then.set()
                await asyncio.Event().wait()
        finally:
            self.is_iterator_closed = True

    async def close(self) -> None:
        assert self.is_iterator_closed
        self.is_closed = True

    def answer(self, n_bytes: int | None = None) -> StreamingResponse:
        return StreamingResponse(self.parts(), media_type="audio/mpeg", headers={}, close=self.close, n_bytes=n_bytes)


def body_of(wire: Wire) -> list[tuple[bytes, bool]]:
    return [(message["body"], message["more_body"]) for message in wire.sent[1:]]


async def test_parts_of_unknown_length_end_with_an_empty_message() -> None:
    wire, source = Wire(), Source(b"one", b"two")
    await source.answer()({}, wire.receive, wire.send)
    assert body_of(wire) == [
        (b"one", True),
        (b"two", True),
        (b"", False),
    ]
    assert source.is_closed


async def test_parts_of_known_length_end_with_their_last_byte() -> None:
    wire, source = Wire(), Source(b"one", b"two")
    await source.answer(n_bytes=6)({}, wire.receive, wire.send)
    assert body_of(wire) == [(b"one", True), (b"two", False)]
    assert source.is_closed


@pytest.mark.parametrize("n_bytes", [None, 6])
async def test_a_failure_is_noted_and_leaves_the_answer_without_an_end(n_bytes: int | None) -> None:
    scope: dict[str, Any] = {}
    wire, source = Wire(), Source(b"one", then=StoreFailed("Away."))
    await source.answer(n_bytes)(scope, wire.receive, wire.send)
    assert not wire.is_ended
    assert isinstance(fault_in(scope), StoreFailed)  # type: ignore[arg-type]
    assert source.is_closed


async def test_a_client_that_disconnects_ends_the_parts() -> None:
    wire = Wire()
    source = Source(b"one", then=wire.left)
    await source.answer()({}, wire.receive, wire.send)
    assert not wire.is_ended
    assert source.is_closed


async def test_the_source_is_closed_where_the_answer_could_not_even_begin() -> None:
    async def send(message: Any) -> None:
        raise ConnectionError

    wire, source = Wire(), Source(b"one")
    source.is_iterator_closed = True
    with pytest.raises(ConnectionError):
        await source.answer()({}, wire.receive, send)
    assert source.is_closed
