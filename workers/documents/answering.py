"""The task that reads a document: takes the file from the store, has a process read it, and stores what was read.

Why few are read at a time: reading takes the memory and the time of a core, and the other slots belong to listeners.
"""

import hashlib
import re
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final

import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.core.documents.document import (
    PREVIEW_CHARS,
    Content,
    DocumentChapter,
    DocumentCover,
    Upload,
    source_path,
    text_path,
)
from app.core.documents.document_store import DocumentStore
from app.core.documents.reading import IS_READ
from app.core.errors import Cancelled, KoeError, Preempted, StoreFailed
from app.core.jobs.files import Store, cover_path
from app.core.queue.answers import Answers, Wanted
from app.core.tracing.spans import NO_SPAN, Span
from workers.documents.book import Book, BookChapter
from workers.documents.process import read_in_process
from workers.failures import Action, Failure, Meaning, run_task

log: Final = structlog.get_logger()

MAX_READERS: Final = 2
"""Most files that a worker process reads at a time."""

_RETRY_SECONDS: Final = 0.25
"""How long a slot waits for another to finish reading, before its task goes back to its queue."""
_COPY_BYTES: Final = 1 << 20
_READING: Final = re.compile(r"<rt>[^<]{0,100}</rt>|</?(?:ruby|rb|rtc)>")
"""Readings and tags of ruby, which a preview does not show."""


class DocumentReader:
    """Reads one document at a time in each slot, and deletes those that have expired."""

    def __init__(self, *, redis: Redis, store: Store, patience_seconds: float) -> None:
        """`patience_seconds`: how long to wait if Redis is unreachable."""
        self._answers = Answers(redis, patience_seconds=patience_seconds)
        self._documents = DocumentStore(redis)
        self._store = store
        self._free = threading.BoundedSemaphore(MAX_READERS)

    def answer(self, document_id: str, span: Span = NO_SPAN) -> bool:
        """Reads the document, if anybody still waits for it. Returns False if the task must go back to its queue.

        `span` is the task's. The client gets every error. An error of this server is also raised, so that RQ lists it.
        """
        return run_task(lambda: self._answer(document_id, span), lambda failure: self._end(document_id, failure), span=span)

    def sweep(self) -> None:
        """Deletes expired documents. Raises RedisError if Redis is unreachable."""
        for document_id in self._documents.expired():
            try:
                self._store.delete_folder(document_id)
            except StoreFailed:
                log.warning("document_not_swept", document_id=document_id)
            else:
                self._documents.forget(document_id)
                log.info("document_swept", document_id=document_id)

    def _answer(self, document_id: str, span: Span) -> None:
        started = time.monotonic()
        upload = self._documents.upload(document_id)
        if upload is None or not self._answers.begin(document_id):
            raise Cancelled("Nobody waits for the answer.")
        if not self._free.acquire(timeout=_RETRY_SECONDS):
            raise Preempted("Other documents are being read.")
        try:
            content = self._read(upload, Wanted(self._answers, document_id).check)
        finally:
            self._free.release()
        if not self._documents.finish(upload, content):
            raise Cancelled("The document has been deleted.")
        self._answers.give(document_id, IS_READ)
        n_chars = sum(chapter.n_characters for chapter in content.chapters)
        span.note(n_characters=n_chars)
        log.info(
            "document_read",
            kind=content.kind,
            n_chars=n_chars,
            n_chapters=len(content.chapters),
            seconds=round(time.monotonic() - started, 3),
        )

    def _end(self, document_id: str, failure: Failure) -> Action:
        if failure.meaning is Meaning.PREEMPTED:
            return Action.REQUEUE
        if failure.meaning is Meaning.CANCELLED:
            log.info("document_not_wanted")
            with suppress(StoreFailed):
                self._store.delete_folder(document_id)
            return Action.END
        self._refuse(document_id, failure.to_error())
        return Action.END if failure.meaning is Meaning.REFUSED else Action.RAISE

    def _refuse(self, document_id: str, error: KoeError) -> None:
        log.warning("document_refused", error=type(error).__name__, code=error.code)
        with suppress(RedisError):
            self._answers.refuse(document_id, error)

    def _read(self, upload: Upload, check: Callable[[], None]) -> Content:
        with tempfile.TemporaryFile(prefix="koe-") as file:
            self._fetch(source_path(upload.id), file)
            book = read_in_process(file, upload.filename, upload.media_type, check)
        return self._keep(upload.id, book)

    def _fetch(self, path: str, file: IO[bytes]) -> None:
        try:
            source = self._store.open(path)
        except FileNotFoundError:
            raise StoreFailed(
                "The file that was sent is not in the store of this worker. KOE_STORE must name one place that the API and all "
                "workers share."
            ) from None
        with source:
            while data := source.read(_COPY_BYTES):
                file.write(data)
        file.flush()

    def _keep(self, document_id: str, book: Book) -> Content:
        """Stores the text and the cover, and deletes the file that was sent."""
        chapters, place = [], 0
        with self._store.put(text_path(document_id)) as file:
            for chapter in book.chapters:
                data = chapter.text.encode()
                file.write(data)
                chapters.append(_describe(chapter, place, len(data)))
                place += len(data)
        self._store.delete(source_path(document_id))
        return Content(
            kind=book.kind,
            title=book.title,
            author=book.author,
            language=book.language,
            cover=self._keep_cover(document_id, book),
            chapters=tuple(chapters),
        )

    def _keep_cover(self, document_id: str, book: Book) -> DocumentCover | None:
        if book.cover is None:
            return None
        self._store.write(cover_path(document_id), book.cover.data)
        return DocumentCover(book.cover.media_type, hashlib.sha256(book.cover.data).hexdigest()[:32])


def _describe(chapter: BookChapter, start: int, n_bytes: int) -> DocumentChapter:
    return DocumentChapter(
        title=chapter.title,
        n_characters=len(chapter.text),
        preview=_preview(chapter),
        is_matter=chapter.is_matter,
        start=start,
        n_bytes=n_bytes,
    )


def _preview(chapter: BookChapter) -> str:
    """The beginning of the text after the lines that repeat the title."""
    lines = _READING.sub("", chapter.text[: 8 * PREVIEW_CHARS]).strip().split("\n")
    title = _letters(chapter.title)
    while lines and title.startswith(_letters(lines[0])):
        title = title.removeprefix(_letters(lines.pop(0)))
    preview = " ".join(" ".join(lines).split())
    return preview if len(preview) <= PREVIEW_CHARS else f"{preview[:PREVIEW_CHARS].rstrip()}…"


def _letters(text: str) -> str:
    """What remains of a title or its line when marks are not compared."""
    return "".join(filter(str.isalnum, text)).casefold()
