"""What a job is: one long text that is spoken in parts and becomes one file."""

import secrets
from enum import StrEnum

import msgspec

from app.core.speech.utterance import Utterance


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_ended(self) -> bool:
        """True when nothing will change any more."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class Progress(msgspec.Struct, frozen=True):
    """How far a job is. Before the plan is made the total is 0; it is an estimate until the last part is spoken."""

    segments_done: int = 0
    segments_total: int = 0
    audio_seconds: float = 0.0


class File(msgspec.Struct, frozen=True, kw_only=True):
    """The finished file of a job."""

    name: str
    """In the job's folder of the store: `speech.mp3`."""
    n_bytes: int
    etag: str
    """Hex digits: SHA-256 of the bytes, shortened; without quotes."""
    seconds: float


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the text that one worker speaks at a time."""

    start: int
    """First code point of the text, from 0."""
    end: int
    """One behind the last code point."""
    n_segments: int
    """As many as are expected."""
    chapter: str | None = None
    """Title, when a chapter begins with this part."""


class PartResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished part amounts to."""

    n_segments: int
    audio_seconds: float
    n_bytes: int
    loudness_db: float | None = None
    peak_db: float | None = None
    """Both below full scale; None where nothing is heard."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as both sides know it. Times are whole seconds since 1970."""

    id: str
    owner: str
    """Digest of the key that asked; `""` where no keys are set."""
    status: JobStatus
    utterance: Utterance
    """All that decides the sound; its `text` is `""` here, since the text lies under a key of its own."""
    model: str
    """As the user wrote it."""
    voice: str
    """As the user wrote it."""
    title: str | None = None
    metadata: dict[str, str] | None = None
    webhook_url: str | None = None
    timestamps: bool = False
    """Whether the times of its words are kept."""
    request_id: str
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    """When it ended, in whichever way."""
    expires_at: int | None = None
    progress: Progress = Progress()
    file: File | None = None
    """Of a completed job."""
    error: dict[str, str] | None = None
    """Of a failed job, as `app.core.errors.to_wire` writes it."""


def new_job_id() -> str:
    """`job_` and 24 hex digits."""
    return f"job_{secrets.token_hex(12)}"
