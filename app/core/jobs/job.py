"""A job: one long text that is spoken in parts and becomes one file."""

import secrets
from enum import StrEnum

import msgspec

from app.core.speech.utterance import Utterance


class JobStatus(StrEnum):
    """State of a job."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_ended(self) -> bool:
        """True when the job will not change any more."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class Progress(msgspec.Struct, frozen=True):
    """How far a job is. The total is 0 until the plan exists, and an estimate until the last part is spoken."""

    segments_done: int = 0
    segments_total: int = 0
    audio_seconds: float = 0.0
    parts_done: int = 0
    parts_total: int = 0
    seconds_left: int | None = None
    """Estimated seconds until the job is finished; None while unknown. `app.core.jobs.job_view` fills it in."""


class Pace(msgspec.Struct, frozen=True):
    """How fast a job has been spoken lately, by all workers together. Older segments count less."""

    at: float
    """When the last segment was spoken: seconds since 1970."""
    segments: float
    seconds: float


class FileChapter(msgspec.Struct, frozen=True):
    """A chapter of a finished file."""

    title: str
    start: float
    """Seconds in the file."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """The finished file of a job."""

    name: str
    """Name in the job's folder of the store: `speech.mp3`."""
    n_bytes: int
    etag: str
    """SHA-256 of the bytes, shortened: hex digits without quotes."""
    seconds: float
    chapters: tuple[FileChapter, ...] = ()


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the text; one worker speaks it at a time."""

    start: int
    """Index of the first code point in the text, from 0."""
    end: int
    """Exclusive end index."""
    n_segments: int
    """Expected number of segments."""
    chapter: str | None = None
    """Title, if a chapter begins with this part."""


class TextChapter(msgspec.Struct, frozen=True):
    """A chapter of a text whose chapters are known."""

    start: int
    """Index of its first code point in the text, from 0."""
    title: str


class PartResult(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a finished part."""

    n_segments: int
    audio_seconds: float
    n_bytes: int
    loudness_db: float | None = None
    peak_db: float | None = None
    """Peak below full scale; None for silence."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job, as both sides know it. Times are whole seconds since 1970."""

    id: str
    owner: str
    """Digest of the key of the request; `""` without keys."""
    status: JobStatus
    utterance: Utterance
    """All that decides the audio. Its `text` is `""` here, because the text has its own Redis key."""
    model: str
    """The name as the user wrote it."""
    voice: str
    """The name as the user wrote it."""
    title: str | None = None
    author: str | None = None
    cover: str | None = None
    """Media type of the picture for the file, which is next to the parts; None without one."""
    document: str | None = None
    """Id of the document that the text is from, which may have expired; None without one."""
    metadata: dict[str, str] | None = None
    webhook_url: str | None = None
    timestamps: bool = False
    """Whether word times are stored."""
    request_id: str
    trace: dict[str, str] = {}
    """Context of the job's trace; empty without one."""
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    """When the job ended, in any state."""
    expires_at: int | None = None
    progress: Progress = Progress()
    pace: Pace | None = None
    """None until a segment is spoken."""
    file: File | None = None
    """None unless the job is completed."""
    error: dict[str, str] | None = None
    """None unless the job failed; in the form of `app.core.errors.to_wire`."""


def new_job_id() -> str:
    """`job_` and 24 hex digits."""
    return f"job_{secrets.token_hex(12)}"
