"""The form of a job's record in Redis, and the step that ends a job. Both sides use it."""

from typing import Any

import msgspec

from app.core.errors import KoeError, to_wire
from app.core.jobs.job import File, Job, JobStatus, Pace, Part, Progress
from app.core.speech.utterance import Utterance
from app.core.storage import keys


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a job that never change."""

    owner: str
    utterance: Utterance
    model: str
    voice: str
    title: str | None
    metadata: dict[str, str] | None
    webhook_url: str | None
    request_id: str
    created_at: int
    timestamps: bool = False
    author: str | None = None
    cover: str | None = None
    document: str | None = None
    trace: dict[str, str] = {}


def ending(
    job_id: str, status: JobStatus, job_ttl: int, *, file: File | None = None, error: KoeError | None = None
) -> dict[str, Any]:
    """Keys and arguments of the script `end`."""
    records = [keys.job(job_id), keys.JOBS_OPEN, keys.JOBS_ENDED, keys.WEBHOOKS]
    file_json = msgspec.json.encode(file) if file else b""
    error_json = msgspec.json.encode(to_wire(error)) if error else b""
    return {
        "keys": [*records, *keys_until_the_end(job_id)],
        "args": [job_id, keys.JOB_NOTIFICATIONS, status.value, job_ttl, file_json, error_json],
    }


def keys_until_the_end(job_id: str) -> list[str]:
    """The keys that are deleted when the job ends."""
    names = (keys.job_text, keys.job_chapters, keys.job_plan, keys.job_progress, keys.job_results, keys.job_attempts)
    return [name(job_id) for name in names]


def read_job(job_id: str, fields: dict[bytes, bytes]) -> Job | None:
    """The job in the fields of a record; None when there is none or it was deleted."""
    if b"spec" not in fields or b"deleted" in fields:
        return None
    spec = msgspec.json.decode(fields[b"spec"], type=Spec)
    file, error = fields.get(b"file"), fields.get(b"error")
    return Job(
        id=job_id,
        status=JobStatus(fields[b"status"].decode()),
        **{name: getattr(spec, name) for name in Spec.__struct_fields__},
        started_at=_read_time(fields, b"started_at"),
        completed_at=_read_time(fields, b"completed_at"),
        expires_at=_read_time(fields, b"expires_at"),
        progress=Progress(
            int(fields.get(b"segments_done", 0)),
            int(fields.get(b"segments_total", 0)),
            float(fields.get(b"audio_seconds", 0)),
            int(fields.get(b"parts_done", 0)),
            int(fields.get(b"parts_total", 0)),
        ),
        pace=_read_pace(fields),
        file=msgspec.json.decode(file, type=File) if file else None,
        error=msgspec.json.decode(error, type=dict[str, str]) if error else None,
    )


def _read_time(fields: dict[bytes, bytes], name: bytes) -> int | None:
    return int(fields[name]) if name in fields else None


def _read_pace(fields: dict[bytes, bytes]) -> Pace | None:
    names = (b"pace_at", b"pace_segments", b"pace_seconds")
    return Pace(*(float(fields[name]) for name in names)) if names[0] in fields else None


def read_parts(plan: bytes | None) -> list[Part]:
    """The parts of a plan; empty when there is no plan."""
    return [] if plan is None else msgspec.json.decode(plan, type=list[Part])
