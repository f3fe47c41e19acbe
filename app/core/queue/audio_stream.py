"""Audio over a Redis Stream: ChunkWriter (worker, threads) and ChunkReader (API, event loop), both ends in one file.

Entries: `start` (worker) · `words` (words) and `chunk` (at, data) … · `stop` (report) or `error` (code, message, param). The
field `kind` names the entry; `at` is the offset of the chunk's first byte in the audio. Word times come before the audio that
they belong to.

Why a stream and a notification: the stream holds the audio, so a reader that comes late or reconnects starts at the beginning
and misses nothing. The notification only says that the stream has grown; a lost one delays a reader by one tick.

Why offsets in bytes: the same utterance gives the same bytes. A writer (the next worker after a crash, or the same one after a
lost reply) may therefore begin anywhere at or before the end and add only what is new. A reader gets no byte twice.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Final, Protocol, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from app.core.errors import Cancelled, StreamLost, from_wire
from app.core.queue.registry import UNFINISHED_TTL_SECONDS, Attempt, Lease, Report
from app.core.speech.word_times import TimedWord, write_words
from app.core.storage import keys
from app.core.storage.connections import AGAIN_SECONDS, is_refusal, patiently, suppressed_unless_refused
from app.core.storage.lua import load_script
from app.core.storage.notifier import Notifier

MAX_CHUNK_BYTES: Final = 32_768
"""Most bytes of one entry; longer audio is divided."""

_READ_ENTRIES: Final = 16
"""Entries fetched at a time: one reader holds at most half a megabyte."""

_TICK_SECONDS: Final = 1.0
"""How often a reader checks the state of its attempt when no notification comes."""

_FORGOTTEN: Final = -1
_GAP: Final = -2


class ChunkWriter:
    """Appends audio to the stream of one attempt. Audio that an earlier worker has written is skipped. Not thread-safe: one
    thread at a time.
    """

    def __init__(self, redis: Redis, lease: Lease, *, patience_seconds: float) -> None:
        """`patience_seconds`: longest wait while Redis is unreachable."""
        self._redis = redis
        self._lease = lease
        self._append = redis.register_script(load_script(__file__, "append"))
        self._append_words = redis.register_script(load_script(__file__, "append_words"))
        self._patience_seconds = patience_seconds
        self._extend_ttl_at = time.monotonic() + UNFINISHED_TTL_SECONDS / 2
        self._n_there = lease.n_bytes
        self.n_bytes = 0
        """Bytes of audio written or skipped so far."""
        self.has_written = False
        """Whether the stream has got audio from this writer."""
        self._n_words_entries = 0
        self.unread_bytes = 0
        """Bytes that the fastest reader has not read yet, as of the last write."""

    def write(self, data: bytes) -> None:
        """Appends the audio that is not in the stream yet.

        Raises Cancelled when this worker no longer holds the lease, StreamLost when Redis has lost bytes that were written, and
        RedisError when it stays unreachable.
        """
        start = self.n_bytes
        new_from = min(max(0, self._n_there - start), len(data))
        for first in range(new_from, len(data), MAX_CHUNK_BYTES):
            self._write_one(start + first, data[first : first + MAX_CHUNK_BYTES])
        self.n_bytes = start + len(data)
        if time.monotonic() > self._extend_ttl_at:
            self._extend_ttl()

    def append_words(self, words: Sequence[TimedWord]) -> None:
        """Appends word times, unless an earlier worker has appended them. Raises the errors of `write`."""
        args = [*self._lease.args, self._lease.attempt.utterance_id, self._n_words_entries, write_words(words)]
        self._check(
            patiently(lambda: int(self._append_words(keys=self._lease.attempt.both, args=args)), self._patience_seconds)
        )
        self._n_words_entries += 1

    def rewind(self) -> None:
        """Begins at the first byte again; audio that is in the stream is skipped. Raises RedisError when Redis stays
        unreachable.
        """
        record = keys.utterance(self._lease.attempt.utterance_id)
        there = patiently(lambda: self._redis.hget(record, "bytes"), self._patience_seconds)
        self._n_there = int(cast("bytes", there) or 0)
        self.n_bytes = self._n_words_entries = 0

    def _write_one(self, at: int, data: bytes) -> None:
        args = [*self._lease.args, self._lease.attempt.utterance_id, at, data]
        answer = patiently(lambda: int(self._append(keys=self._lease.attempt.both, args=args)), self._patience_seconds)
        self.unread_bytes = self._check(answer)
        self.has_written = True

    @staticmethod
    def _check(answer: int) -> int:
        if answer == _FORGOTTEN:
            raise Cancelled("The utterance is not wanted any more, or another worker has taken it over.")
        if answer == _GAP:
            raise StreamLost("Redis has lost audio that was written.")
        return answer

    def _extend_ttl(self) -> None:
        """Extends the TTL of an unfinished attempt: a long text is spoken for hours."""
        self._extend_ttl_at = time.monotonic() + UNFINISHED_TTL_SECONDS / 2
        with suppress(RedisError):
            for key in (*self._lease.attempt.both, keys.cached_segments(self._lease.attempt.utterance_id)):
                self._redis.expire(key, UNFINISHED_TTL_SECONDS)


class Watch(Protocol):
    """The callbacks of a reader."""

    async def on_quiet(self) -> bool:
        """Called every second while nothing comes. Raises an error to end the reading. Returns True when the attempt is
        finished: the reader then begins again, because it may have missed entries whose ids are smaller than the last one that
        it read.
        """
        ...

    def on_words(self, words: bytes) -> None:
        """Called with word times, as `write_words` wrote them, before the audio they belong to. All word times of the attempt
        are passed on, also the word times of skipped audio.
        """
        ...

    def on_rewind(self) -> None:
        """Called when the attempt is read from its beginning again; all word times will follow once more."""
        ...

    async def on_read(self, n_bytes: int, entry: str) -> None:
        """Called when the consumer has taken the audio: with the number of bytes read so far, and the id of the last entry
        among them.
        """
        ...


class ChunkReader:
    """Reads one attempt: iterate over it for the audio; afterwards `report` is set."""

    def __init__(
        self, redis: AsyncRedis, notifier: Notifier, attempt: Attempt, watch: Watch, *, skip_bytes: int, patience_seconds: float
    ) -> None:
        """`skip_bytes`: bytes of audio to skip, because they were read from an earlier attempt. `patience_seconds`: longest
        wait while Redis is unreachable.
        """
        self._redis = redis
        self._notifier = notifier
        self._attempt = attempt
        self._watch = watch
        self._patience_seconds = patience_seconds
        self._away_since: float | None = None
        self._cursor = "-"
        self.n_bytes = skip_bytes
        """Bytes of audio read or skipped so far."""
        self.report: Report | None = None

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """The audio in order, as it comes; each item is all the new audio that one fetch returned.

        Raises the error that the writer wrote, StreamLost when audio is missing, the errors of the watch, and RedisError when
        Redis stays unreachable.
        """
        grown = self._notifier.subscribe(self._attempt.utterance_id)
        try:
            while self.report is None:
                grown.clear()
                entries = await self._fetch()
                self._give_words(entries)
                if data := self._new_audio(entries):
                    yield data
                    await self._watch.on_read(self.n_bytes, self._cursor.removeprefix("("))
                for fields in entries:
                    self._take_note(fields)
                if not entries:
                    await self._wait(grown)
        finally:
            self._notifier.unsubscribe(self._attempt.utterance_id, grown)

    async def report_ahead(self) -> Report | None:
        """The report of a finished attempt, before its audio is read; None when it is not finished. Raises RedisError."""
        found = await self._redis.xrevrange(self._attempt.stream, count=1)
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", found)
        if not entries or entries[0][1][b"kind"] != b"stop":
            return None
        return msgspec.json.decode(entries[0][1][b"report"], type=Report)

    async def _fetch(self) -> list[dict[bytes, bytes]]:
        try:
            found = await self._redis.xrange(self._attempt.stream, min=self._cursor, count=_READ_ENTRIES)
        except RedisError as error:
            await self._wait_or_raise(error)
            return []
        self._away_since = None
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", found)
        if entries:
            self._cursor = f"({entries[-1][0].decode()}"
        return [fields for _, fields in entries]

    async def _wait_or_raise(self, error: RedisError) -> None:
        """Waits a little while Redis is unreachable. Raises its error after the longest wait."""
        self._away_since = self._away_since or time.monotonic()
        if is_refusal(error) or time.monotonic() - self._away_since > self._patience_seconds:
            raise error
        self._rewind()
        await asyncio.sleep(AGAIN_SECONDS)

    def _rewind(self) -> None:
        """Reads from the beginning again and skips the audio that was read. Another server may have become the primary: it may
        have lost the last entries, and its clock may give the next entries smaller ids.
        """
        self._cursor = "-"
        self._watch.on_rewind()

    def _new_audio(self, entries: list[dict[bytes, bytes]]) -> bytes:
        parts = []
        for fields in entries:
            if fields[b"kind"] != b"chunk":
                continue
            at, data = int(fields[b"at"]), fields[b"data"]
            if at > self.n_bytes:
                raise StreamLost("The audio has a gap.")
            parts.append(data[self.n_bytes - at :])
            self.n_bytes += len(parts[-1])
        return b"".join(parts)

    def _give_words(self, entries: list[dict[bytes, bytes]]) -> None:
        for fields in entries:
            if fields[b"kind"] == b"words":
                self._watch.on_words(fields[b"words"])

    def _take_note(self, fields: dict[bytes, bytes]) -> None:
        if fields[b"kind"] == b"stop":
            self.report = msgspec.json.decode(fields[b"report"], type=Report)
        elif fields[b"kind"] == b"error":
            raise from_wire({name: fields[name.encode()].decode() for name in ("code", "message", "param")})

    async def _wait(self, grown: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(_TICK_SECONDS):
                await grown.wait()
        except TimeoutError:
            with suppressed_unless_refused():
                await self._ask_watch()

    async def _ask_watch(self) -> None:
        try:
            if await self._watch.on_quiet():
                self._rewind()
        except StreamLost:
            # The end may have been written since the last look.
            if not await self._redis.xrange(self._attempt.stream, min=self._cursor, count=1):
                raise
