"""HTTP/1.1 and 1.0 on one connection: uvicorn's protocol on httptools, with limits, deadlines and answers to refused requests.

Why not uvicorn's own: on httptools it limits neither headers nor time, loses the body of a request that offers an upgrade, and
sends chunks to clients of HTTP/1.0. On h11 it does the last two correctly, but serves only 0.6 times as many requests per
second.

Why the application answers refused requests: the envelope, the request id, the log line and the metrics are then the same as
for all others. The application finds the reason in `scope["state"]["refusal"]`, or `receive` raises it.

Why a refused connection is read for a moment longer: closing a connection with unread input discards the answer.
"""

import asyncio
import math
import socket
import struct
from enum import Enum, auto
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools
import structlog
from typing_extensions import override
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.core.errors import BadHttp, HeadTooLarge, KoeError, ServerFull, TooManyAhead, TooSlow
from app.core.logs import describe
from app.core.request_limits import (
    BODY_SECONDS,
    FULL_SECONDS,
    HEAD_BYTES,
    HEAD_SECONDS,
    HEADERS,
    LINGER_SECONDS,
    REQUESTS_AHEAD,
    Bounds,
)

log: Final = structlog.get_logger()

_TLS: Final = b"\x16\x03"
"""The first bytes of a TLS handshake."""
_NEVER: Final = math.inf


class Stage(Enum):
    """The event that a connection waits for."""

    IDLE = auto()
    """The next request; none of it has arrived."""
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    """The server's answer; the request is complete."""
    REFUSED = auto()
    """Nothing; further input is discarded."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. `check` must be called about once a second."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        bounds: Bounds,
        shared: "Shared",
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = bounds
        self._shared = shared
        self._stage = Stage.IDLE
        self._deadline = _NEVER
        self._is_over_limit = False
        self._has_begun = False
        self._fault: KoeError | None = None
        self._n_headers = 0
        self._n_head_bytes = 0
        self._n_loose_bytes = 0
        self._answering: Exchange | None = None
        self._has_ended = False

    @property
    def is_idle(self) -> bool:
        """Whether the connection has no request to answer."""
        return self._answering is None or self._answering.response_complete

    # Called by the transport.

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        n_connections = len(self.connections)
        self._is_over_limit = n_connections > self._bounds.n_connections and not self._shared.close_longest_idle()
        self._wait(Stage.IDLE, FULL_SECONDS if self._is_over_limit else HEAD_SECONDS)
        if self._is_over_limit and not self._shared.has_capacity_for_refusal(n_connections, self._bounds):
            transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._shared.idle.pop(self, None)
        self.pipeline.clear()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._stage is Stage.REFUSED:
            return
        if self._stage in (Stage.IDLE, Stage.ANSWER):
            self._n_loose_bytes, self._has_begun = 0, False
            self._wait(Stage.HEAD, FULL_SECONDS if self._is_over_limit else HEAD_SECONDS)
        self._n_loose_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(self._fault or BadHttp(_hint(data)))
            return
        if self._stage in (Stage.HEAD, Stage.BODY) and self._n_loose_bytes > HEAD_BYTES:
            self._refuse(_too_large())

    def _feed(self, data: bytes) -> None:
        """Parses input. If a request offers an upgrade that is not accepted, it is parsed again without the offer, with its
        body.
        """
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if self._should_upgrade():
                    self._deadline = _NEVER
                    self.handle_websocket_upgrade()
                    return
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            else:
                return

    @override
    def _should_upgrade(self) -> bool:
        """Whether the request opens a WebSocket, which only a GET can."""
        return self.parser.get_method() == b"GET" and super()._should_upgrade()

    def _head_without_upgrade(self) -> bytes:
        first = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        rest = (b"%b: %b" % header for header in self.headers if header[0] != b"upgrade")
        return b"\r\n".join([first, *rest, b"", b""])

    # Called by the parser. The parser hides exceptions raised here as its own errors, so the real one is stored.

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait(Stage.HEAD, FULL_SECONDS if self._is_over_limit else HEAD_SECONDS)
        self._has_begun = True
        self._n_headers = self._n_head_bytes = 0

    @override
    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Adds a header. Trailers also arrive here; they are counted and ignored."""
        self._n_headers += 1
        self._count(len(name) + len(value) + 4)
        if self._stage is Stage.HEAD:
            super().on_header(name, value)

    def _count(self, n_bytes: int) -> None:
        self._n_head_bytes += n_bytes
        if self._n_headers > HEADERS or self._n_head_bytes > HEAD_BYTES:
            self._fail(_too_large())

    def _fail(self, error: KoeError) -> None:
        self._fault = error
        raise error

    @override
    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._fail(BadHttp("This server is no proxy."))
            self.scope["method"] = self.parser.get_method().decode()
            return
        if len(self.pipeline) >= REQUESTS_AHEAD:
            self._fail(TooManyAhead(REQUESTS_AHEAD))
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            self._fail(BadHttp(f"Its version is {version}."))
        url = httptools.parse_url(self.url)
        raw_path = url.path or b"/"
        self.scope["http_version"] = version
        self.scope["method"] = self.parser.get_method().decode()
        self.scope["path"] = self.root_path + unquote(raw_path.decode("ascii"))
        self.scope["raw_path"] = self.root_path.encode() + raw_path
        self.scope["query_string"] = url.query or b""
        if self._is_over_limit:
            self._shared.n_refused += 1
            self.scope["state"]["refusal"] = ServerFull(self._bounds.n_connections)
        self._n_headers = self._n_head_bytes = self._n_loose_bytes = 0
        self._wait(Stage.BODY, BODY_SECONDS)
        self._begin(keep_alive=version != "1.0" and self.parser.should_keep_alive() and not self._is_over_limit)

    @override
    def on_body(self, body: bytes) -> None:
        self._n_loose_bytes = 0
        if not self.cycle.response_complete:
            super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        self._n_loose_bytes, self._has_begun = 0, False
        if self.is_idle and not self.pipeline:
            self._wait(Stage.IDLE, self._bounds.keep_alive_seconds)
        else:
            self._wait(Stage.ANSWER, _NEVER)

    # Answers.

    def _begin(self, *, keep_alive: bool) -> None:
        """Makes the application answer `scope`, now or after earlier requests."""
        self.cycle = exchange = Exchange(
            scope=self.scope,
            transport=cast("asyncio.Transport", _Wire(self)),
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )
        if self.is_idle:
            self._answer(exchange)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))

    def _answer(self, exchange: RequestResponseCycle) -> None:
        self._answering = cast("Exchange", exchange)
        self._start_asgi_task(exchange, self.app)

    def on_response_complete(self) -> None:
        """Starts the next request, because the answer is complete."""
        self.server_state.total_requests += 1
        if self._has_ended or self.transport.is_closing():
            return
        if self.pipeline:
            exchange, _ = self.pipeline.pop()
            self._answer(exchange)
            return
        self.flow.resume_reading()
        if self._stage is Stage.ANSWER:
            self._wait(Stage.IDLE, self._bounds.keep_alive_seconds)

    def _refuse(self, error: KoeError) -> None:
        """Sends the last answer of this connection: to the request with a faulty body, or instead of a request that did not
        arrive.
        """
        is_of_body = self._stage is Stage.BODY
        self._wait(Stage.REFUSED, _NEVER)
        if is_of_body:
            cast("Exchange", self.cycle).fail(error)
            if self.cycle.response_complete:
                self.finish()
            return
        if not self._has_begun:
            super().on_message_begin()
        self.scope["state"]["refusal"] = error
        self.scope.setdefault("method", "")
        self.scope["path"], self.scope["raw_path"], self.scope["query_string"] = "", b"", b""
        self.expect_100_continue = False
        self._begin(keep_alive=False)
        self.cycle.more_body = False

    def finish(self) -> None:
        """Closes the connection so that the client still receives the answer. Waiting requests are not answered."""
        self._has_ended = True
        self.pipeline.clear()
        if self._stage not in (Stage.REFUSED, Stage.BODY) or not self.transport.can_write_eof():
            self.transport.close()
            return
        if not self.transport.is_closing():
            self._wait(Stage.REFUSED, LINGER_SECONDS)
            self.transport.write_eof()
            self.flow.resume_reading()

    def reset(self) -> None:
        """Resets the connection. The client then notices an error, even after a part of the answer."""
        own: socket.socket | None = self.transport.get_extra_info("socket")
        if own is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    # Time.

    def _wait(self, stage: Stage, seconds: float) -> None:
        self._stage, self._deadline = stage, self.loop.time() + seconds
        self._shared.idle.pop(self, None)
        if stage is Stage.IDLE and not self._is_over_limit:
            self._shared.idle[self] = None

    def check(self, now: float) -> None:
        """Ends a stage that has taken too long. `now` is the time of the event loop."""
        if now < self._deadline or self.transport.is_closing():
            return
        if self._stage is Stage.REFUSED:
            self.transport.abort()
        elif self._stage is Stage.IDLE or (self._stage is Stage.HEAD and not self._has_begun and self.is_idle):
            self.transport.close()
        elif self.pipeline or (self._stage is Stage.HEAD and not self.is_idle):
            self._deadline = now + HEAD_SECONDS  # The answer before it is not complete, and this head may be unread.
        elif self._stage is Stage.HEAD:
            self._refuse(TooSlow("head", HEAD_SECONDS))
        else:
            self._refuse(TooSlow("body", BODY_SECONDS))

    def shutdown(self) -> None:
        """Closes the connection, after the current answer if there is one. Called when the server ends."""
        if self.is_idle:
            self.transport.close()
        else:
            self.cycle.keep_alive = False


class Exchange(RequestResponseCycle):
    """One request and its answer."""

    _fault: KoeError | None = None
    _is_bare = False

    def fail(self, error: KoeError) -> None:
        """Makes `receive` raise this error, because the rest of the body will not arrive."""
        self._fault = error
        self.keep_alive = False
        self.message_event.set()

    async def run_asgi(self, app: Any) -> None:
        """Runs `app`. Breaks off an answer that it does not complete."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as error:  # noqa: BLE001 - last resort of the API: the application answers its own faults
            log.error("unforeseen_error", **describe(error))
        finally:
            self.on_response = lambda: None
            if not self.response_complete and not self.disconnected:
                self._break_off()

    def _break_off(self) -> None:
        """Ends the connection so that no client takes a part of the answer for the whole. Without chunks and without a length
        only a reset shows that the end is missing.
        """
        if self._is_bare:
            self.transport.abort()
        else:
            self.transport.close()

    async def send(self, message: Any) -> None:
        """Sends a message of the answer. Clients of HTTP/1.0 do not support chunks: their answer ends with the connection."""
        if self.scope["http_version"] == "1.0":
            if message["type"] == "http.response.start" and not _has_length(message):
                self._is_bare, self.chunked_encoding = True, False
            elif self._is_bare:
                self.expected_content_length = len(message.get("body", b""))
        await super().send(message)

    async def receive(self) -> Any:
        """Receives a message of the request. Raises the error that `fail` received."""
        message = await super().receive()
        if self._fault is not None:
            raise self._fault
        return message


class Shared:
    """State that the connections of a server share."""

    def __init__(self) -> None:
        self.idle: dict[HttpProtocol, None] = {}
        """Connections without a request, the longest idle first."""
        self.n_closed = 0
        """Idle connections that were closed for new ones, since the start."""
        self.n_refused = 0
        """New connections that were refused for lack of room, since the start."""

    def close_longest_idle(self) -> bool:
        """Closes the connection that has been idle for the longest, if there is one."""
        longest = next(iter(self.idle), None)
        if longest is None:
            return False
        del self.idle[longest]
        longest.transport.close()
        self.n_closed += 1
        return True

    def has_capacity_for_refusal(self, n_connections: int, bounds: Bounds) -> bool:
        """Whether one more connection can be kept open for its refusal; otherwise it is closed and counted as refused."""
        has_capacity = n_connections <= bounds.n_connections + max(8, bounds.n_connections // 8)
        if not has_capacity:
            self.n_refused += 1
        return has_capacity


class _Wire:
    """The transport for an exchange. It leaves closing to the protocol."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: HttpProtocol) -> None:
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        self._protocol.transport.write(data)

    def is_closing(self) -> bool:
        return self._protocol.transport.is_closing()

    def close(self) -> None:
        self._protocol.finish()

    def abort(self) -> None:
        self._protocol.reset()


def _too_large() -> HeadTooLarge:
    return HeadTooLarge(HEAD_BYTES, HEADERS)


def _has_length(start: Any) -> bool:
    return any(name.lower() == b"content-length" for name, _ in start["headers"])


def _hint(data: bytes) -> str:
    if data.startswith(_TLS):
        return "It seems to be TLS, which this server does not speak: begin the address with http://, or put a proxy in front."
    if data.startswith(b"PRI * HTTP/2"):
        return "It seems to be HTTP/2, which this server does not speak."
    return ""
