"""A Wyoming client: `describe` is answered with the voices, `synthesize` with audio, and a text may stream in.

Why `synthesize` within a stream is ignored: Home Assistant repeats the whole text there, for servers that know no streams.

Why a next text is not read before the last is spoken: their audio would mix, and what a client sends ahead takes memory.

Why a connection is closed soon after an error: Home Assistant ignores the event, and waits for the audio until then. A client
that goes on at once keeps its connection.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

import msgspec
import structlog
from wyoming.event import Event
from wyoming.ping import Pong

from app.access.keyring import Key, Keyring
from app.access.limiter import Limiter
from app.api.live.speaker import Speaker, Turn
from app.api.live.wyoming.connection import ClientLeft, Connection
from app.api.live.wyoming.request import ROUTE, STREAM_STOPPED, SpokenRequest, Tally, show_error
from app.api.live.wyoming.voices import AskedVoice, choose_voice
from app.api.measures import Metrics, label_of
from app.api.requests.reader import RequestReader
from app.api.responses.errors import fault_of
from app.core.errors import InvalidRequest, KoeError, TooSlow, Unauthenticated
from app.core.request_limits import HEAD_SECONDS, LINGER_SECONDS, WYOMING_EVENT_SECONDS, WYOMING_TEXT_SECONDS
from app.core.speech.models import ENGINE_ORDER, MODELS
from app.delivery.delivery import Delivery

log: Final = structlog.get_logger()

_ANY_ENGINE: Final = "tts-1"
"""The model for an engine that has no model of its own."""
_FORMAT: Final = "pcm"
_PROTOCOL: Final = "wyoming"
"""Its name in the metrics."""
_NEVER: Final = math.inf


class WyomingService(msgspec.Struct, frozen=True, kw_only=True):
    """What all sessions share."""

    info: Event
    """The answer to `describe`."""
    keyring: Keyring
    key_name: str
    """The key whose limits all clients share; empty on a server without keys."""
    reader: RequestReader
    delivery: Delivery
    limiter: Limiter
    metrics: Metrics
    keep_alive_seconds: float

    def find_key(self) -> Key:
        """The key of all clients. Raises Unauthenticated when it was removed."""
        key = self.keyring.find_named(self.key_name)
        if key is None:
            raise Unauthenticated(
                "This server answers no Wyoming clients now, since the key for them was removed. Its operator can name another "
                "in KOE_WYOMING_KEY."
            )
        return key

    async def choose_model(self) -> str:
        """The model of the best engine, with this server's own limit of a text. Raises NoWorker when Redis is unreachable."""
        best = (await self.reader.fleet.now()).best or ENGINE_ORDER[0]
        return best if best in MODELS else _ANY_ENGINE


class _Plain(msgspec.Struct):
    """The data of `synthesize`."""

    text: str
    voice: AskedVoice | None = None


class _Start(msgspec.Struct):
    """The data of `synthesize-start`."""

    voice: AskedVoice | None = None


class _Piece(msgspec.Struct):
    """The data of `synthesize-chunk`."""

    text: str


class _Ping(msgspec.Struct):
    """The data of `ping`."""

    text: str | None = None


_Asked = TypeVar("_Asked", _Plain, _Start)
_T = TypeVar("_T")


class WyomingSession:
    """One connection of a client. `check` must be called about once a second."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, service: WyomingService) -> None:
        self._service = service
        self._connection = Connection(reader, writer)
        self._request: SpokenRequest | None = None
        self._is_streaming = False
        """Whether the client is between `synthesize-start` and `synthesize-stop`."""
        self._is_leaving = False
        self._is_busy = False
        """Whether an event is being received or handled."""
        self._idle_seconds = HEAD_SECONDS
        self._deadline = _NEVER
        self.idle_since: float | None = None
        """When it began to wait for a request, by the loop's clock; None while one is received or spoken."""
        self._wait()

    async def run(self) -> None:
        """Serves the client until it leaves."""
        try:
            with self._service.metrics.live_session(_PROTOCOL):
                await self._serve()
        except ClientLeft:
            pass
        except Exception as error:  # noqa: BLE001 - last resort of the API: the client gets the error, and the connection ends
            self._refuse(fault_of(error))
        finally:
            if self._request is not None:
                await self._request.cancel()
            await self._connection.close()

    async def _serve(self) -> None:
        while (event := await self._connection.receive(self._on_begun)) is not None:
            self._deadline = _NEVER
            self._idle_seconds = self._service.keep_alive_seconds
            await self._handle(event)
            self._is_busy = False
            self._wait()

    async def refuse(self, error: KoeError) -> None:
        """Tells the client that it is not served, and closes the connection."""
        self._refuse(error)
        await self._connection.close()

    def leave(self) -> None:
        """Closes the connection when nothing is spoken and no request has come for a moment: the server ends."""
        self._is_leaving = True
        self._wait()

    def check(self, now: float) -> None:
        """Closes the connection when the client has taken too long. `now`: by the loop's clock."""
        if now < self._deadline:
            return
        if self.idle_since is None:
            self._complain(TooSlow("next event", WYOMING_EVENT_SECONDS if self._is_busy else WYOMING_TEXT_SECONDS))
        self.close()

    def close(self) -> None:
        """Closes the connection; `run` then returns."""
        self._deadline, self.idle_since = _NEVER, None
        self._connection.begin_close()

    def _on_begun(self) -> None:
        self._is_busy = True
        self.idle_since = None
        self._deadline = _now() + WYOMING_EVENT_SECONDS

    def _wait(self) -> None:
        """Sets the deadline of the next event, unless one is being received or handled."""
        if self._is_busy:
            return
        is_speaking = self._request is not None and not self._request.is_over
        now = _now()
        self.idle_since = None if self._is_streaming or is_speaking else now
        if self._is_streaming:
            self._deadline = now + WYOMING_TEXT_SECONDS
        elif is_speaking:
            self._deadline = _NEVER
        else:
            self._deadline = now + (LINGER_SECONDS if self._is_leaving else self._idle_seconds)

    def _refuse(self, error: KoeError) -> None:
        self._complain(error)
        log.info("session_refused", route=ROUTE, code=label_of(error))

    def _complain(self, error: KoeError) -> None:
        """Tells the client about an error that belongs to no text."""
        self._connection.write([show_error(error)])
        self._service.metrics.count_error(error)
        self._idle_seconds = LINGER_SECONDS

    async def _handle(self, event: Event) -> None:
        """Does what an event asks for; an event of another service is ignored, as the protocol wants."""
        handle = _HANDLERS.get(event.type)
        if handle is None:
            return
        try:
            await handle(self, event)
        except KoeError as error:
            self._complain(error)
            await self._connection.drain()

    async def _describe(self, _: Event) -> None:
        await self._connection.send(self._service.info)

    async def _ping(self, event: Event) -> None:
        await self._connection.send(Pong(_read(event, _Ping).text).event())

    async def _synthesize(self, event: Event) -> None:
        if self._is_streaming:
            return
        if (request := await self._open(event, _Plain, is_stream=False)) is not None:
            request.add(event.data["text"])
            request.end()

    async def _start(self, event: Event) -> None:
        if self._is_streaming and self._stream("synthesize-start") is not None:
            raise InvalidRequest("A text streams in already: send 'synthesize-stop' before the next 'synthesize-start'.")
        self._is_streaming = True
        await self._open(event, _Start, is_stream=True)

    async def _add(self, event: Event) -> None:
        request = self._stream("synthesize-chunk")
        if request is None:
            return
        try:
            request.add(_read(event, _Piece).text)
        except KoeError as error:
            await request.cancel(error)

    async def _stop(self, _: Event) -> None:
        request = self._stream("synthesize-stop")
        self._is_streaming = False
        if request is not None:
            request.end()

    def _stream(self, kind: str) -> SpokenRequest | None:
        """Returns the text that streams in; None when it has failed, since the rest of it is then ignored."""
        if not self._is_streaming:
            raise InvalidRequest(f"No text streams in: send 'synthesize-start' before '{kind}'.")
        return None if self._request is None or self._request.is_over else self._request

    async def _open(self, event: Event, kind: type[_Asked], *, is_stream: bool) -> SpokenRequest | None:
        """Begins a request when the one before it is spoken. Returns None when it fails; the client then has the error."""
        if self._request is not None:
            await self._request.wait()
            await self._connection.drain()
        self._request = None
        tally = Tally(self._service.metrics)
        try:
            turn = await self._begin(_read(event, kind), tally)
        except Exception as error:  # noqa: BLE001 - last resort of the API: the client gets the error
            tally.fault = fault_of(error)
            self._connection.write([show_error(tally.fault), *([STREAM_STOPPED] if is_stream else [])])
            tally.end()
            self._idle_seconds = LINGER_SECONDS
            await self._connection.drain()
            return None
        self._request = SpokenRequest(turn, self._connection, tally, is_stream=is_stream, on_over=self._on_over)
        return self._request

    async def _begin(self, asked: "_Plain | _Start", tally: Tally) -> Turn:
        service = self._service
        key = service.find_key()
        tally.key = key.name
        speaker = Speaker(
            reader=service.reader,
            delivery=service.delivery,
            limiter=service.limiter,
            key=key,
            request_id=tally.request_id,
            count_text=partial(service.metrics.count_live_text, _PROTOCOL),
        )
        fields = {
            "model": await service.choose_model(),
            "voice": choose_voice(asked.voice or AskedVoice(), service.reader.catalogue),
            "response_format": _FORMAT,
        }
        await speaker.learn_voices(fields["voice"])
        if isinstance(asked, _Plain):
            speaker.reader.read_speech({**fields, "input": asked.text})
        return speaker.begin(fields)

    def _on_over(self) -> None:
        if self._request is not None and self._request.has_failed:
            self._idle_seconds = LINGER_SECONDS
        self._wait()


_HANDLERS: Final[dict[str, Callable[[WyomingSession, Event], Awaitable[None]]]] = {
    "describe": WyomingSession._describe,
    "ping": WyomingSession._ping,
    "synthesize": WyomingSession._synthesize,
    "synthesize-start": WyomingSession._start,
    "synthesize-chunk": WyomingSession._add,
    "synthesize-stop": WyomingSession._stop,
}


def _read(event: Event, kind: type[_T]) -> _T:
    """Returns the data of an event. Raises InvalidRequest for data of another form."""
    try:
        return msgspec.convert(event.data, kind)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"The data of '{event.type}' is not valid: {error}.") from None


def _now() -> float:
    return asyncio.get_running_loop().time()
