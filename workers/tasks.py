"""The functions that RQ calls, by dotted name."""

import structlog
from rq import get_current_job

from app.core.broker import Lane
from app.core.utterance import Utterance
from workers import runtime


def speak(utterance_json: str, request_id: str) -> None:
    """Speaks one utterance into its stream. `request_id` is that of the request that caused it, for the log."""
    utterance = Utterance.from_json(utterance_json)
    job = get_current_job()
    lane = Lane(job.origin) if job is not None else Lane.INTERACTIVE
    with structlog.contextvars.bound_contextvars(request_id=request_id, utterance_id=utterance.id):
        runtime.current().speak(utterance, lane)
