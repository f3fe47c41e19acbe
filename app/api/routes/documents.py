"""`/v1/audio/documents`: files whose text is read, with chapters, for jobs.

Why the answer waits for a worker: whoever sends a file wants to see its chapters, or why it cannot be read, at once.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response, delete, get, post
from litestar.params import FromPath
from redis.exceptions import RedisError

from app.access.limiter import Limiter
from app.api.dependencies import Given
from app.api.facts import note, span_of
from app.api.middleware.auth import key_of, owner_of, require_key
from app.api.middleware.root_path import prefix_of
from app.api.requests.lists import read_limit
from app.api.requests.uploads import read_file
from app.api.responses.disconnect import while_connected
from app.api.responses.files import is_known
from app.api.responses.rate_limit_headers import rate_headers
from app.core.documents.document import Document, Upload
from app.core.documents.document_view import ChapterText, DocumentObject, show_document
from app.core.documents.documents import Documents, read_chapter, read_cover, store_source
from app.core.documents.reading import reading_of
from app.core.errors import StoreFailed, UnknownCover
from app.core.jobs.files import Store
from app.core.queue.answers import Asker
from app.core.queue.fleet import FleetView, no_worker
from app.core.request_limits import DOCUMENT_BODY_BYTES
from app.core.storage.connections import reachable

log: Final = structlog.get_logger()

_PATH: Final = "/v1/audio/documents"
_ONE: Final = f"{_PATH}/{{document_id:str}}"

_Request = Request[Any, Any, Any]


class DocumentList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the documents of one owner, the newest first."""

    object: str = "list"
    data: list[DocumentObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


@post(_PATH, guards=[require_key], status_code=201, request_max_body_size=DOCUMENT_BODY_BYTES)
async def create_document(
    request: _Request,
    documents: Given[Documents],
    store: Given[Store],
    asker: Given[Asker],
    expected: Given[FleetView],
    limiter: Given[Limiter],
) -> Response[DocumentObject]:
    """Takes a file, and answers when a worker has read it."""
    sent = await read_file(request)
    if not (await expected.now()).registrations:
        raise no_worker()
    owner = owner_of(request)
    permit = await limiter.admit(key_of(request), stays_open=False)
    with reachable():
        upload = await documents.create(owner, sent.name, sent.media_type)
    try:
        await asyncio.to_thread(store_source, store, upload, sent.file)
        await _have_read(request, asker, upload)
        document = await _get(documents, upload.id, request)
    except BaseException:  # undone and raised: nothing may stay of a file that was not read
        with suppress(RedisError):
            await _delete(documents, store, upload.id, owner)
        raise
    note(request.scope, kind=document.content.kind, n_chars=show_document(document).n_characters)
    return Response(
        show_document(document),
        headers={"Location": f"{prefix_of(request.scope)}{_PATH}/{upload.id}", **rate_headers(permit.rate_limit_status)},
    )


@get(_PATH, guards=[require_key])
async def list_documents(request: _Request, documents: Given[Documents]) -> DocumentList:
    """At most `limit` documents, starting after the document `after`."""
    limit = read_limit(request.query_params.get("limit"))
    with reachable():
        found, has_more = await documents.list(owner_of(request), limit=limit, after=request.query_params.get("after"))
    shown = [show_document(document) for document in found]
    ends = (shown[0].id, shown[-1].id) if shown else (None, None)
    return DocumentList(data=shown, first_id=ends[0], last_id=ends[1], has_more=has_more)


@get(_ONE, guards=[require_key])
async def get_document(request: _Request, document_id: FromPath[str], documents: Given[Documents]) -> DocumentObject:
    """The document with its chapters, without their texts."""
    return show_document(await _get(documents, document_id, request))


@get(f"{_ONE}/chapters/{{index:int}}", guards=[require_key])
async def get_chapter(
    request: _Request, document_id: FromPath[str], index: FromPath[int], documents: Given[Documents], store: Given[Store]
) -> ChapterText:
    """A chapter with its text."""
    document = await _get(documents, document_id, request)
    text = await asyncio.to_thread(read_chapter, store, document, index)
    return ChapterText(index=index, title=document.content.chapters[index].title, text=text)


@get(f"{_ONE}/cover", guards=[require_key])
async def get_cover(
    request: _Request, document_id: FromPath[str], documents: Given[Documents], store: Given[Store]
) -> Response[bytes]:
    """The picture of the cover."""
    document = await _get(documents, document_id, request)
    cover = document.content.cover
    if cover is None:
        raise UnknownCover
    headers = {"ETag": f'"{cover.etag}"', "Cache-Control": "private"}
    if is_known(request.headers, cover.etag):
        return Response(b"", status_code=304, headers=headers)
    return Response(await asyncio.to_thread(read_cover, store, document), media_type=cover.media_type, headers=headers)


@delete(_ONE, guards=[require_key], status_code=204)
async def delete_document(
    request: _Request, document_id: FromPath[str], documents: Given[Documents], store: Given[Store]
) -> None:
    """Deletes the document. Jobs that were made of it go on."""
    document = await _get(documents, document_id, request)
    with reachable():
        await _delete(documents, store, document.id, document.upload.owner)


async def _have_read(request: _Request, asker: Asker, upload: Upload) -> None:
    request_id, trace = request.scope["state"]["request_id"], span_of(request.scope).context
    asking = asker.ask(reading_of(upload.id), request_id=request_id, owner=upload.owner, trace=trace)
    await while_connected(asyncio.create_task(asking), request.receive)


async def _get(documents: Documents, document_id: str, request: _Request) -> Document:
    with reachable():
        return await documents.get(document_id, owner_of(request))


async def _delete(documents: Documents, store: Store, document_id: str, owner: str) -> None:
    await documents.delete(document_id, owner)
    with suppress(StoreFailed):
        # The document is deleted anyway, and the workers' sweep deletes its folder later.
        await asyncio.to_thread(store.delete_folder, document_id)
