"""`/v1/audio/speech/jobs`: long texts, each spoken in the background into one file.

Why the file has its own address: players and download tools expect audio there, with ranges and an ETag.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, BinaryIO, Final

import msgspec
import structlog
from litestar import Request, Response, delete, get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from app.access.limiter import Limiter
from app.api.dependencies import Given
from app.api.facts import note, span_of
from app.api.middleware.auth import key_of, owner_of, require_key
from app.api.middleware.headers import RESOURCE_POLICY
from app.api.middleware.root_path import prefix_of
from app.api.requests.bodies import read_fields
from app.api.requests.jobs import JobRequest
from app.api.requests.lists import read_limit
from app.api.requests.reader import RequestReader
from app.api.responses.events import EventStream
from app.api.responses.files import Span, StoredFile, disposition, is_known, wanted_span
from app.api.responses.rate_limit_headers import rate_headers
from app.core.documents.chosen import ChosenText, chosen_indices, n_characters_of, read_chosen
from app.core.documents.document import Document
from app.core.documents.documents import Documents, read_cover
from app.core.errors import InvalidValue, JobNotReady, JobWithoutFile, NotSupported, StoreFailed
from app.core.jobs.files import Store, cover_path, file_path, words_path
from app.core.jobs.job import File, Job, JobStatus, new_job_id
from app.core.jobs.job_view import JobObject, show_job
from app.core.jobs.jobs import Jobs
from app.core.queue.broker import Broker
from app.core.request_limits import JOB_BODY_BYTES
from app.core.speech.captions import CAPTION_FORMATS, DEFAULT_CAPTION_FORMAT, CaptionFormat
from app.core.speech.formats import COVER_FORMAT, JOB_FORMATS
from app.core.speech.utterance import Utterance
from app.core.storage.connections import reachable
from app.core.tracing.spans import Facts

log: Final = structlog.get_logger()

_PATH: Final = "/v1/audio/speech/jobs"
_ONE: Final = f"{_PATH}/{{job_id:str}}"

_Request = Request[Any, Any, Any]


class JobList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the jobs of one owner, the newest first."""

    object: str = "list"
    data: list[JobObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


@post(
    _PATH,
    guards=[require_key],
    status_code=202,
    request_max_body_size=JOB_BODY_BYTES,
)
async def create_job(
    request: _Request,
    reader: Given[RequestReader],
    broker: Given[Broker],
    limiter: Given[Limiter],
    jobs: Given[Jobs],
    documents: Given[Documents],
    store: Given[Store],
) -> Response[JobObject]:
    """Accepts a text as a job, and answers at once."""
    fields, owner = await read_fields(request), owner_of(request)
    named = fields.get("voice"), fields.get("input")
    asked = (await reader.knowing(owner, *named)).read_job(fields)
    chosen = await _read_chosen(asked, reader, documents, store, owner)
    if chosen is not None:
        asked = (await reader.knowing(owner, *named, chosen.text)).read_job(fields, chosen.text)
    note(request.scope, **asked.speech.facts, format=asked.speech.format.name)
    utterance = await reader.to_utterance(asked.speech, owner)
    permit = await limiter.admit(key_of(request), stays_open=False)
    job = _new_job(asked, utterance, owner, request, chosen)
    with reachable():
        chapters = chosen.chapters if chosen is not None else ()
        await jobs.create(job, asked.speech.input, chapters=chapters, max_open=key_of(request).max_jobs)
        try:
            if chosen is not None and job.cover is not None:
                await asyncio.to_thread(_copy_cover, store, chosen.document, job.id)
            await asyncio.to_thread(broker.submit_job, job.id, trace=job.trace)
        except Exception:  # undone and raised: no job may stay without a task
            await jobs.delete(job.id, job.owner)
            raise
    log.info("job_created", job_id=job.id, n_chars=len(asked.speech.input), format=utterance.format, engine=utterance.engine)
    return Response(
        show_job(job),
        headers={"Location": f"{prefix_of(request.scope)}{_PATH}/{job.id}", **rate_headers(permit.rate_limit_status)},
    )


@get(_PATH, guards=[require_key])
async def list_jobs(request: _Request, jobs: Given[Jobs]) -> JobList:
    """At most `limit` jobs, starting after the job `after`."""
    limit = read_limit(request.query_params.get("limit"))
    with reachable():
        found, has_more = await jobs.list(owner_of(request), limit=limit, after=request.query_params.get("after"))
    shown = [show_job(job) for job in found]
    ends = (shown[0].id, shown[-1].id) if shown else (None, None)
    return JobList(data=shown, first_id=ends[0], last_id=ends[1], has_more=has_more)


@get(_ONE, guards=[require_key])
async def get_job(request: _Request, job_id: FromPath[str], jobs: Given[Jobs]) -> JobObject:
    """The job in its present state."""
    return show_job(await _get(jobs, job_id, request))


@get(f"{_ONE}/events", guards=[require_key])
async def watch_job(request: _Request, job_id: FromPath[str], jobs: Given[Jobs]) -> EventStream:
    """The job as server-sent events: now and at each change, until it ends."""
    await _get(jobs, job_id, request)
    return EventStream(_show_each(jobs.watch(job_id, owner_of(request))))


@get(f"{_ONE}/content", guards=[require_key])
async def get_content(request: _Request, job_id: FromPath[str], jobs: Given[Jobs], store: Given[Store]) -> ASGIResponse:
    """The file of a completed job, or a range of it."""
    job = await _get(jobs, job_id, request)
    file = _file_of(job)
    sound = JOB_FORMATS[job.utterance.format]
    headers = {"etag": f'"{file.etag}"', "accept-ranges": "bytes", "cache-control": "private", RESOURCE_POLICY: "cross-origin"}
    if is_known(request.headers, file.etag):
        return ASGIResponse(status_code=304, headers=headers)
    span = wanted_span(request.headers, file.etag, file.n_bytes)
    headers["content-disposition"] = disposition(job.title, sound.name)
    if span is not None:
        headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{file.n_bytes}"
    return StoredFile(
        await asyncio.to_thread(_open, store, file_path(job.id, file.name)),
        span or Span(0, file.n_bytes),
        status_code=200 if span is None else 206,
        media_type=sound.media_type_at(job.utterance.sample_rate_hz),
        headers=headers,
    )


@get(f"{_ONE}/captions", guards=[require_key])
async def get_captions(request: _Request, job_id: FromPath[str], jobs: Given[Jobs], store: Given[Store]) -> Response[bytes]:
    """The captions of a completed job."""
    job = await _get(jobs, job_id, request)
    name = request.query_params.get("format", DEFAULT_CAPTION_FORMAT)
    captions = _caption_format(name)
    if not job.timestamps:
        raise NotSupported(
            'The job has no captions, since the times of its words were not asked for: a job that is made with "timestamps": '
            '["word"] has them.'
        )
    _file_of(job)
    body = await asyncio.to_thread(_write_captions, store, job, captions)
    etag = hashlib.sha256(body).hexdigest()[:32]
    headers = {"ETag": f'"{etag}"', "Cache-Control": "private"}
    if is_known(request.headers, etag):
        return Response(b"", status_code=304, headers=headers)
    headers["Content-Disposition"] = disposition(job.title, name)
    return Response(body, media_type=captions.media_type, headers=headers)


@post(f"{_ONE}/cancel", guards=[require_key], status_code=200)
async def cancel_job(request: _Request, job_id: FromPath[str], jobs: Given[Jobs]) -> JobObject:
    """Cancels the job. A job that has ended stays as it is."""
    with reachable():
        return show_job(await jobs.cancel(job_id, owner_of(request)))


@delete(_ONE, guards=[require_key], status_code=204)
async def delete_job(request: _Request, job_id: FromPath[str], jobs: Given[Jobs], store: Given[Store]) -> None:
    """Deletes the job and its files; a running job is stopped first."""
    with reachable():
        await jobs.delete(job_id, owner_of(request))
    try:
        await asyncio.to_thread(store.delete_folder, job_id)
    except StoreFailed:
        # The job is deleted anyway, and the workers' sweep deletes its folder later.
        log.warning("files_left_for_the_sweep", job_id=job_id)


async def _read_chosen(
    asked: JobRequest, reader: RequestReader, documents: Documents, store: Store, owner: str
) -> ChosenText | None:
    """The text of the document that the request names; None for a request with its own text."""
    if asked.document is None:
        return None
    with reachable():
        document = await documents.get(asked.document, owner, param="document")
    indices = chosen_indices(document, asked.chapters)
    reader.check_job_chars(n_characters_of(document, indices))
    return await asyncio.to_thread(read_chosen, store, document, indices)


def _copy_cover(store: Store, document: Document, job_id: str) -> None:
    store.write(cover_path(job_id), read_cover(store, document))


def _new_job(asked: JobRequest, utterance: Utterance, owner: str, request: _Request, chosen: ChosenText | None) -> Job:
    """The job for a request. Its text is stored separately. It has a trace of its own, since it goes on for much longer."""
    job_id = new_job_id()
    with span_of(request.scope).linked("job", **_traced(job_id, asked, utterance)) as span:
        trace = dict(span.context)
    content = chosen.document.content if chosen is not None else None
    cover = content.cover if content is not None and utterance.format == COVER_FORMAT else None
    return Job(
        id=job_id,
        owner=owner,
        status=JobStatus.QUEUED,
        utterance=msgspec.structs.replace(utterance, text=""),
        model=asked.speech.model.id,
        voice=asked.voice,
        title=asked.title or (content.title if content is not None else None),
        author=content.author if content is not None else None,
        cover=cover.media_type if cover is not None else None,
        document=asked.document,
        metadata=asked.metadata,
        webhook_url=asked.webhook_url,
        timestamps=asked.speech.timestamps,
        request_id=request.scope["state"]["request_id"],
        trace=trace,
        created_at=int(time.time()),
    )


def _traced(job_id: str, asked: JobRequest, utterance: Utterance) -> Facts:
    return {
        "job_id": job_id,
        "model": asked.speech.model.id,
        "engine": utterance.engine,
        "format": utterance.format,
        "n_characters": len(asked.speech.input),
    }


async def _get(jobs: Jobs, job_id: str, request: _Request) -> Job:
    with reachable():
        return await jobs.get(job_id, owner_of(request))


async def _show_each(watching: AsyncGenerator[Job, None]) -> AsyncGenerator[bytes, None]:
    with reachable():
        async with aclosing(watching):
            async for job in watching:
                yield msgspec.json.encode(show_job(job))


def _file_of(job: Job) -> File:
    """The file of the job. Raises JobNotReady before it is finished, JobWithoutFile where the job ended without one."""
    if job.file is not None:
        return job.file
    if job.status is JobStatus.CANCELLED:
        raise JobWithoutFile("The job has no file: it was cancelled.")
    if job.status.is_ended:
        raise JobWithoutFile("The job has no file: it failed. Its 'error' says why.")
    raise JobNotReady(f"The job is not finished: it is {job.status.value}. Please ask again when it is completed.")


def _caption_format(name: str) -> CaptionFormat:
    if name not in CAPTION_FORMATS:
        raise InvalidValue(
            f"Invalid value for 'format': captions are written as {' or '.join(map(repr, CAPTION_FORMATS))}.", param="format"
        )
    return CAPTION_FORMATS[name]


def _write_captions(store: Store, job: Job, captions: CaptionFormat) -> bytes:
    with _open(store, words_path(job.id)) as file:
        return captions.write(file.read(-1))


def _open(store: Store, path: str) -> BinaryIO:
    try:
        return store.open(path)
    except FileNotFoundError:
        raise StoreFailed(
            "The file of the job is not in the store of this server. KOE_STORE must name one place that the API and all "
            "workers share."
        ) from None
