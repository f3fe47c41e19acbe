"""One text of a Wyoming client: it is spoken as one request, counted in the metrics, and logged in one line.

Why one `audio-start` for the whole text, also when it streams in: a client takes the form of its file from the first one, and
the pauses between sentences are audio too.

Why an error is followed by nothing but the end of a stream: a client that ignores errors would take `audio-stop` for the end of
a whole text. Home Assistant then waits for the connection to close, and reports that there is no speech.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from structlog.contextvars import bound_contextvars
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.tts import SynthesizeStopped

from app.api.live.speaker import Turn
from app.api.live.wyoming.connection import ClientLeft, Connection
from app.api.measures import Metrics, label_of
from app.api.middleware.request_log import LEFT, level_of
from app.api.responses.errors import fault_of, status_of
from app.core.errors import KoeError
from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from app.delivery.live.speech import Audio
from app.delivery.live.speech import Event as SpeechEvent

ROUTE: Final = "wyoming"
_METHOD: Final = "other"
"""Labels in the metrics: no event of Wyoming is one of the methods of HTTP."""
_OK: Final = 200
_BATCH_BYTES: Final = 65_536
"""The audio for which the client's time is awaited at once."""
_CHUNK_BYTES: Final = 1024 * SAMPLE_BYTES
"""The size that other servers send, and that small devices expect."""
_CHANNELS: Final = 1
_START: Final = AudioStart(SAMPLE_RATE_HZ, SAMPLE_BYTES, _CHANNELS).event()
_STOP: Final = AudioStop().event()
STREAM_STOPPED: Final = SynthesizeStopped().event()
"""Ends the answer to a text that streams in, also to one that failed."""


def show_error(error: KoeError) -> Event:
    """The event for an error: the message and the code of the answer that HTTP would give."""
    return Error(error.message, error.code or status_of(error)[1]).event()


class Tally:
    """Counts and logs one request."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.key = ""
        """The name of the key; empty on a server without keys."""
        self._started = time.monotonic()
        self._first_audio_seconds: float | None = None
        self._audio_seconds = 0.0
        self.request_id = f"req_{secrets.token_hex(16)}"
        self.fault: KoeError | None = None
        """The error that is the answer, or that broke it off."""
        self.is_whole = False
        """Whether everything was sent."""
        metrics.open_requests.inc()

    def note_audio(self, seconds: float) -> None:
        """Notes audio of this length, which is sent now."""
        if self._first_audio_seconds is None:
            self._first_audio_seconds = round(time.monotonic() - self._started, 3)
        self._audio_seconds += seconds

    def end(self, **facts: Any) -> None:
        """Counts and logs the request, with more facts about it. Call it once, at the end."""
        self._metrics.open_requests.dec()
        self._metrics.count_answer(_METHOD, ROUTE, self._status)
        broken_off = self._broken_off
        if broken_off:
            self._metrics.count_broken_off(ROUTE, has_left=self.fault is None)
        if self.fault is not None:
            self._metrics.count_error(self.fault)
        if self.is_whole:
            self._metrics.count_audio(self._audio_seconds)
        facts = {
            "request_id": self.request_id,
            "route": ROUTE,
            "status": self._status,
            "code": label_of(self.fault) if self.fault else None,
            "broken_off": broken_off,
            "key": self.key or None,
            **facts,
            "audio_seconds": None if self._first_audio_seconds is None else round(self._audio_seconds, 3),
            "first_audio_seconds": self._first_audio_seconds,
            "seconds": round(time.monotonic() - self._started, 3),
        }
        log_at_level = level_of(self._status, is_check=False, has_failed=broken_off == "failed")
        log_at_level("request_answered", **{name: value for name, value in facts.items() if value is not None})

    @property
    def _status(self) -> int:
        """The status that HTTP would give."""
        if self.is_whole or self._first_audio_seconds is not None:
            return _OK
        return LEFT if self.fault is None else status_of(self.fault)[0]

    @property
    def _broken_off(self) -> str | None:
        if self.is_whole or self._first_audio_seconds is None:
            return None
        return "left" if self.fault is None else "failed"


class SpokenRequest:
    """A text that is spoken: from `synthesize`, or a stream of pieces from `synthesize-start` to `synthesize-stop`."""

    def __init__(
        self,
        turn: Turn,
        connection: Connection,
        tally: Tally,
        *,
        is_stream: bool,
        on_over: Callable[[], None],
    ) -> None:
        """`on_over` is called when it is spoken, or has failed, and everything about it was sent."""
        self._turn, self._connection, self._tally, self._on_over = turn, connection, tally, on_over
        self._n_chars = 0
        self._opening = [_START]
        self._closing = [_STOP, STREAM_STOPPED] if is_stream else [_STOP]
        self._task = asyncio.create_task(self._run(), name="wyoming request")
        # A callback, since a task that is cancelled before its first step runs no line.
        self._task.add_done_callback(self._end)

    @property
    def is_over(self) -> bool:
        """Whether it is spoken, or has failed."""
        return self._task.done()

    @property
    def has_failed(self) -> bool:
        """Whether the client was told about an error."""
        return self._tally.fault is not None

    def add(self, text: str) -> None:
        """Adds text. Raises StringTooLong if more of it waits than one request may have."""
        self._n_chars += len(text)
        self._turn.add(text)

    def end(self) -> None:
        """No text follows."""
        self._turn.speech.end()

    async def wait(self) -> None:
        """Returns when it is over."""
        await asyncio.wait([self._task])

    async def cancel(self, fault: KoeError | None = None) -> None:
        """Ends it at once, and what is spoken for it: with an error for the client, or because the client has left."""
        self._tally.fault = fault
        self._task.cancel()
        await self.wait()

    async def _run(self) -> None:
        with bound_contextvars(request_id=self._tally.request_id):
            try:
                await self._turn.run(self._on_event)
                await self._connection.send(*self._opening, *self._closing)
                self._tally.is_whole = True
            except ClientLeft:
                pass
            except Exception as error:  # noqa: BLE001 - border of a task: the client gets the error
                self._tally.fault = fault_of(error)

    def _end(self, _: "asyncio.Task[None]") -> None:
        if self._tally.fault is not None:
            self._connection.write([show_error(self._tally.fault), *self._closing[1:]])
        self._tally.end(**(self._turn.request.facts | {"n_chars": self._n_chars}))
        self._on_over()

    async def _on_event(self, event: SpeechEvent) -> None:
        if not isinstance(event, Audio) or not event.data:
            return
        self._tally.note_audio(self._turn.sound.seconds(len(event.data)))
        for at in range(0, len(event.data), _BATCH_BYTES):
            opening, self._opening = self._opening, []
            await self._connection.send(*opening, *_chunks(event.data[at : at + _BATCH_BYTES]))


def _chunks(data: bytes) -> Iterator[Event]:
    for at in range(0, len(data), _CHUNK_BYTES):
        yield AudioChunk(SAMPLE_RATE_HZ, SAMPLE_BYTES, _CHANNELS, data[at : at + _CHUNK_BYTES]).event()
