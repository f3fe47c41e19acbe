"""Estimates how long a job still takes, from the speed at which its segments were spoken lately.

Why the speed is measured over all workers together, and fades: the number of workers and of other listeners changes, and what
counts is how fast the job goes on now. The script `advance` keeps the measurement. It counts no long gap, so the time in which
a job waited, or in which no worker was running, does not make it look slow.
"""

import math
from typing import Final

from app.core.jobs.job import Job, JobStatus, Pace, Progress

MIN_MEASURED_SECONDS: Final = 5.0
"""Before a job was spoken for this time, its speed is unknown."""
STALLED_SECONDS: Final = 120.0
"""A job that has not advanced for this time waits for something else than its text: how long is unknown."""
JOINING_SPEED: Final = 60.0
"""Seconds of audio that are encoded and checked in one second, when the parts are joined."""


def seconds_left(job: Job, now: float) -> int | None:
    """Estimated seconds until the job is finished; None when that is unknown, or when it has ended.

    `now`: seconds since 1970.
    """
    pace, progress = job.pace, job.progress
    if job.status is not JobStatus.IN_PROGRESS or pace is None or not progress.segments_done:
        return None
    idle_seconds = max(0.0, now - pace.at)
    joining_seconds = progress.audio_seconds * progress.segments_total / progress.segments_done / JOINING_SPEED
    if progress.parts_done == progress.parts_total:
        return math.ceil(max(0.0, joining_seconds - idle_seconds))
    speaking_seconds = _speaking_seconds(pace, progress)
    if speaking_seconds is None or idle_seconds > STALLED_SECONDS:
        return None
    return math.ceil(max(0.0, speaking_seconds - idle_seconds) + joining_seconds)


def _speaking_seconds(pace: Pace, progress: Progress) -> float | None:
    """Seconds from the last advance until the last segment is spoken; None while the speed is unknown."""
    if pace.seconds < MIN_MEASURED_SECONDS or pace.segments <= 0:
        return None
    n_left = max(0, progress.segments_total - progress.segments_done)
    return n_left * pace.seconds / pace.segments
