"""A job as its owner sees it: the same object in the answers of the API and in webhooks."""

import time

import msgspec

from app.core.jobs.job import FileChapter, Job, JobStatus, Progress
from app.core.jobs.time_left import seconds_left


class JobError(msgspec.Struct, frozen=True):
    """Why a job failed."""

    code: str | None
    message: str


class JobObject(msgspec.Struct, frozen=True, kw_only=True):
    """A job, as its owner sees it. Times are whole seconds since 1970."""

    id: str
    object: str = "audio.speech.job"
    status: JobStatus
    created_at: int
    started_at: int | None
    completed_at: int | None
    """When the job ended, in any state."""
    expires_at: int | None
    """When the job and its file are deleted; None until the job has ended."""
    model: str
    voice: str
    response_format: str
    title: str | None
    metadata: dict[str, str] | None
    progress: Progress
    duration_seconds: float | None
    """Duration of the finished file."""
    chapters: tuple[FileChapter, ...] | None
    """The chapters of the finished file; None until it is finished."""
    has_captions: bool
    """Whether the job keeps the times of its words, so that a finished one has captions."""
    document: str | None
    """Id of the document that the text is from; None without one."""
    error: JobError | None


def show_job(job: Job, now: float | None = None) -> JobObject:
    """The job without the fields that only the server needs. `now`: seconds since 1970, by default of this machine."""
    left = seconds_left(job, time.time() if now is None else now)
    return JobObject(
        id=job.id,
        status=job.status,
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        expires_at=job.expires_at,
        model=job.model,
        voice=job.voice,
        response_format=job.utterance.format,
        title=job.title,
        metadata=job.metadata,
        progress=msgspec.structs.replace(job.progress, seconds_left=left),
        duration_seconds=job.file.seconds if job.file else None,
        chapters=job.file.chapters if job.file else None,
        has_captions=job.timestamps,
        document=job.document,
        error=JobError(job.error["code"] or None, job.error["message"]) if job.error else None,
    )
