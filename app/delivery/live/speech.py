"""Speaks a text while it arrives: its parts in order, with the pauses between them, the words, and the marks of the client.

Why each part is an utterance of its own: it is then found in the cache, shared, continued by another worker and cancelled like
every other one. While one part is read, the next is spoken, so that no silence is between them but the pause.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import aclosing, suppress
from typing import Final

import msgspec

from app.core.speech.boundaries import ending_of, weigh
from app.core.speech.formats import FORMATS
from app.core.speech.pauses import PAUSE_SECONDS
from app.core.speech.word_times import TimedWord
from app.delivery.listener import Listener
from app.delivery.live.cutter import Cutter

QUIET_SECONDS: Final = 0.4
"""When nothing has come for this long, a sentence that has ended is spoken. A model writes a token every 10 to 100 ms."""
_N_OPEN: Final = 2
"""Parts that are read or being spoken at a time."""
_LEAST_SECONDS: Final = 0.05
"""Seconds of a phoneme in fast speech. Kokoro's usual ones are longer, so a part is rather expected too early than too late."""


class Sound(msgspec.Struct, frozen=True):
    """The form of the audio: bare samples, so that the parts and the pauses between them are one stream."""

    format: str
    """Name of a format of `app.core.speech.formats` with a `silent_sample`."""
    sample_rate_hz: int
    speed: float = 1.0

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample."""
        return len(FORMATS[self.format].silent_sample)

    def silence(self, seconds: float) -> bytes:
        """Returns silence of this length."""
        return FORMATS[self.format].silent_sample * round(seconds * self.sample_rate_hz)

    def seconds(self, n_bytes: int) -> float:
        """Returns the length of so many bytes."""
        return n_bytes / self.sample_bytes / self.sample_rate_hz


class Part(msgspec.Struct, frozen=True):
    """A part of the text begins to be spoken. The parts, joined, are the text."""

    text: str


class Audio(msgspec.Struct, frozen=True):
    """The next audio: whole samples."""

    data: bytes


class Words(msgspec.Struct, frozen=True):
    """Words that are spoken in the next audio; their times are seconds from the beginning of the whole."""

    words: list[TimedWord]


class Mark(msgspec.Struct, frozen=True):
    """All text that came before the client's mark was spoken."""

    name: Hashable


Event = Part | Audio | Words | Mark


class _Opened(msgspec.Struct, frozen=True):
    part: Part
    opening: asyncio.Task[Listener]


_Item = _Opened | Mark | Exception | None


class LiveSpeech:
    """One text that is spoken while it arrives. Iterate over it in one task, and add text in any other."""

    def __init__(
        self,
        open_part: Callable[[str, float], Awaitable[Listener]],
        sound: Sound,
        *,
        language: str,
        after: "LiveSpeech | None" = None,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        """`open_part` submits a part and returns its listener with the first audio; it also gets the seconds for which the
        parts before are still heard. `language`: BCP 47 tag. `after`: the speech before this one; while it is still heard, a
        pause separates the two.
        """
        self._open_part, self._sound = open_part, sound
        self._cutter = Cutter(language)
        self._quiet_seconds = quiet_seconds
        self._changed = asyncio.Event()
        self._flushed: deque[Part | Mark] = deque()
        """Text and marks before the text that the cutter has."""
        self._has_ended = False
        self._has_begun = False
        self._n_bytes = 0
        self._begun_at = 0.0
        self._due = 0.0
        """Time until which the parts that were opened are heard, at least."""
        self._pause = after.pause_now if after else b""

    @property
    def n_waiting(self) -> int:
        """Characters that wait to be spoken."""
        return len(self._cutter) + sum(len(item.text) for item in self._flushed if isinstance(item, Part))

    @property
    def pause_now(self) -> bytes:
        """The pause after what was spoken; empty when the listener has heard all of it."""
        is_heard = time.monotonic() < self._begun_at + self._sound.seconds(self._n_bytes)
        return self._pause if is_heard else b""

    def add(self, text: str) -> None:
        """Adds text as it was sent. It is spoken as soon as it is a sentence."""
        self._cutter.add(text)
        self._changed.set()

    def release(self) -> None:
        """Lets all text be spoken that was added until now, as soon as no abbreviation ends it."""
        if text := self._cutter.take_now():
            self._flushed.append(Part(text))
            self._changed.set()

    def flush(self, mark: Hashable = None) -> None:
        """Lets all text be spoken that was added until now. A `mark` is among the events when that is done."""
        if rest := self._cutter.take_all():
            self._flushed.append(Part(rest))
        if mark is not None:
            self._flushed.append(Mark(mark))
        self._changed.set()

    def end(self) -> None:
        """Lets all text be spoken, and the iteration then end. Nothing may be added after that."""
        self.flush()
        self._has_ended = True
        self._changed.set()

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        """Yields the events in order. Raises the error of a part that fails. Closing it cancels what is being spoken."""
        opened: asyncio.Queue[_Item] = asyncio.Queue()
        room = asyncio.Semaphore(_N_OPEN)
        feeding = asyncio.create_task(self._feed(opened, room), name="feed")
        try:
            while (item := await opened.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, Mark):
                    yield item
                    continue
                try:
                    async with aclosing(self._read(item)) as events:
                        async for event in events:
                            yield event
                finally:
                    room.release()
                self._pause = self._sound.silence(PAUSE_SECONDS[ending_of(item.part.text)] / self._sound.speed)
        finally:
            await asyncio.shield(_abandon(feeding, opened))

    async def _read(self, opened: _Opened) -> AsyncGenerator[Event, None]:
        """Yields the events of a part. The pause belongs to its beginning, since nobody knows before whether there is one."""
        try:
            listener = await opened.opening
            yield opened.part
            self._begun_at = self._begun_at or time.monotonic()
            if self._pause:
                self._n_bytes += len(self._pause)
                yield Audio(self._pause)
            begun_at = self._sound.seconds(self._n_bytes)
            rest = b""
            async for chunk in listener:
                if words := listener.take_words():
                    yield Words([_moved(word, begun_at) for word in words])
                whole = rest + chunk
                n_bytes = len(whole) - len(whole) % self._sound.sample_bytes
                data, rest = whole[:n_bytes], whole[n_bytes:]
                self._n_bytes += n_bytes
                yield Audio(data)
        finally:
            await asyncio.shield(_close(opened))

    async def _feed(self, opened: asyncio.Queue[_Item], room: asyncio.Semaphore) -> None:
        """Opens the parts one after the other, at most `_N_OPEN` at a time. An unforeseen error is given to the reader."""
        try:
            while True:
                await room.acquire()
                item = await self._take()
                if isinstance(item, Part):
                    opening = _open(self._open_part, item.text, self._seconds_before(item))
                    opened.put_nowait(_Opened(item, asyncio.create_task(opening, name="open")))
                    continue
                room.release()
                opened.put_nowait(item)
                if item is None:
                    return
        except Exception as error:  # noqa: BLE001 - border of a task: raised where the events are read
            opened.put_nowait(error)

    def _seconds_before(self, part: Part) -> float:
        """Returns for how long the parts before this one, the next, are still heard, at least."""
        now = time.monotonic()
        heard_until = max(now, self._due, self._begun_at + self._sound.seconds(self._n_bytes) if self._n_bytes else 0.0)
        self._due = heard_until + _LEAST_SECONDS * weigh(part.text) / self._sound.speed
        return heard_until - now

    async def _take(self) -> Part | Mark | None:
        """Waits for the next part or mark; None at the end."""
        while True:
            self._changed.clear()
            if (item := self._take_now()) is not None:
                return item
            if self._has_ended:
                return None
            try:
                async with asyncio.timeout(self._quiet_seconds if self._cutter else None):
                    await self._changed.wait()
            except TimeoutError:
                if ended := self._cutter.take_ended():
                    self._flushed.append(Part(ended))

    def _take_now(self) -> Part | Mark | None:
        while self._flushed:
            item = self._flushed.popleft()
            if isinstance(item, Mark) or item.text.strip():
                self._has_begun |= isinstance(item, Part)
                return item
        text = self._cutter.take(is_first=not self._has_begun)
        if not text.strip():
            return None
        self._has_begun = True
        return Part(text)


async def _open(open_part: Callable[[str, float], Awaitable[Listener]], text: str, heard_seconds: float) -> Listener:
    return await open_part(text, heard_seconds)


async def _abandon(feeding: asyncio.Task[None], opened: asyncio.Queue[_Item]) -> None:
    """Ends the feeding, and closes what was opened and not read."""
    feeding.cancel()
    with suppress(asyncio.CancelledError):
        await feeding
    while not opened.empty():
        item = opened.get_nowait()
        if isinstance(item, _Opened):
            await _close(item)


async def _close(opened: _Opened) -> None:
    """Closes the listener; one that is still being opened is given up."""
    opened.opening.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await (await opened.opening).close()


def _moved(word: TimedWord, seconds: float) -> TimedWord:
    return msgspec.structs.replace(word, start=word.start + seconds, end=word.end + seconds)
