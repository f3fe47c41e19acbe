"""The API's side of documents: create, show, list and delete, and their texts.

Why a document is listed only when it has been read: before that it may turn out to be no text at all.
"""

import re
import time
from typing import Any, BinaryIO, Final, cast

import msgspec
from redis.asyncio import Redis as AsyncRedis

from app.core.documents.document import Document, Upload, new_document_id, source_path, text_path
from app.core.documents.records import DELETED_TTL_SECONDS, read_document
from app.core.errors import InvalidValue, RateLimited, StoreFailed, UnknownChapter, UnknownDocument
from app.core.jobs.files import Store, cover_path
from app.core.storage import keys
from app.core.storage.connections import replicated
from app.core.storage.lua import load_script

MAX_DOCUMENTS: Final = 500
"""Most documents of an owner."""

_COPY_BYTES: Final = 1 << 20
_ID: Final = re.compile(r"doc_[0-9a-f]{24}")
_MAX_SHOWN_CHARS: Final = 100


class Documents:
    """The API's side of documents. An owner sees only their own; any other id raises UnknownDocument."""

    def __init__(self, redis: AsyncRedis, *, document_ttl: int) -> None:
        """`document_ttl`: seconds that a document is stored."""
        self._redis = redis
        self._ttl = document_ttl
        self._create = redis.register_script(load_script(__file__, "create"))

    async def create(self, owner: str, filename: str, media_type: str) -> Upload:
        """Records a file that is about to be stored. The caller stores it and has it read, or deletes it again.

        Raises RateLimited when the owner has MAX_DOCUMENTS.
        """
        now_ms = int(time.time() * 1000)
        upload = Upload(
            id=new_document_id(),
            owner=owner,
            filename=filename,
            media_type=media_type,
            created_at=now_ms // 1000,
            expires_at=now_ms // 1000 + self._ttl,
            expires_ms=now_ms + 1000 * self._ttl,
        )
        n_documents = await self._create(
            keys=[keys.document(upload.id), keys.documents_of(owner), keys.DOCUMENTS],
            args=[
                upload.id,
                msgspec.json.encode(upload),
                upload.expires_at,
                MAX_DOCUMENTS,
                self._ttl + DELETED_TTL_SECONDS,
            ],
        )
        if n_documents:
            raise RateLimited.with_documents(n_documents)
        await replicated(self._redis)
        return upload

    async def get(self, document_id: str, owner: str, *, param: str | None = None) -> Document:
        """The document. `param` names the field of the request that has the id, for the error."""
        document = await self._load(document_id)
        if document is None or document.upload.owner != owner:
            raise UnknownDocument(_shorten(document_id), param=param)
        return document

    async def list(self, owner: str, *, limit: int, after: str | None = None) -> tuple[list[Document], bool]:
        """At most `limit` documents, the newest first, starting after the document `after`; and whether there are more.

        Raises InvalidValue when `after` is not one of the owner's documents.
        """
        key, first = keys.documents_of(owner), 0
        if after:
            rank = await self._redis.zrevrank(key, after)
            if rank is None:
                raise InvalidValue("Invalid value for 'after': no document has that id.", param="after")
            first = cast("int", rank) + 1
        found = cast("list[bytes]", await self._redis.zrevrange(key, first, first + limit))
        loaded = [await self._load(document_id.decode()) for document_id in found[:limit]]
        return [document for document in loaded if document is not None], len(found) > limit

    async def delete(self, document_id: str, owner: str) -> None:
        """Deletes the record, also of a file that was not read. The caller deletes its folder in the store."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.delete(keys.document(document_id))
        pipe.zrem(keys.documents_of(owner), document_id)
        pipe.zadd(keys.DOCUMENTS, {document_id: int(time.time()) + DELETED_TTL_SECONDS})
        await pipe.execute()
        await replicated(self._redis)

    async def _load(self, document_id: str) -> Document | None:
        if not _ID.fullmatch(document_id):
            return None
        document = read_document(cast("dict[bytes, bytes]", await self._redis.hgetall(keys.document(document_id))))
        return document if document is not None and document.upload.expires_at > time.time() else None


def store_source(store: Store, upload: Upload, file: BinaryIO) -> None:
    """Stores the file that was sent. Raises StoreFailed and StoreFull."""
    n_bytes = file.seek(0, 2)
    file.seek(0)
    store.require_free_space(n_bytes)
    with store.put(source_path(upload.id)) as target:
        while data := file.read(_COPY_BYTES):
            target.write(data)


def read_chapter(store: Store, document: Document, index: int) -> str:
    """The text of a chapter. Raises UnknownChapter and StoreFailed."""
    if not 0 <= index < len(document.content.chapters):
        raise UnknownChapter(index, len(document.content.chapters))
    return read_chapters(store, document, [index])[0]


def read_chapters(store: Store, document: Document, indices: list[int]) -> list[str]:
    """The texts of chapters. Raises StoreFailed."""
    chapters: Any = document.content.chapters
    with _open(store, text_path(document.id)) as file:
        texts = []
        for index in indices:
            file.seek(chapters[index].start)
            texts.append(_read(file, chapters[index].n_bytes).decode())
        return texts


def read_cover(store: Store, document: Document) -> bytes:
    """The bytes of the cover, which the document must have. Raises StoreFailed."""
    with _open(store, cover_path(document.id)) as file:
        return file.read(-1)


def _read(file: BinaryIO, n_bytes: int) -> bytes:
    data = bytearray()
    while len(data) < n_bytes:
        piece = file.read(n_bytes - len(data))
        if not piece:
            raise StoreFailed("The file is shorter than it was.")
        data += piece
    return bytes(data)


def _open(store: Store, path: str) -> BinaryIO:
    try:
        return store.open(path)
    except FileNotFoundError:
        raise StoreFailed(
            "The text of the document is not in the store of this server. KOE_STORE must name one place that the API and all "
            "workers share."
        ) from None


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}…"
