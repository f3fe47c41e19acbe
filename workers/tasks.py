"""The functions that RQ calls, by dotted name."""

import structlog
from rq import Retry, get_current_job

from app.core.queue.broker import MOST_RETURNS, Lane, lane_of
from app.core.speech.spoken_text import SpokenText
from app.core.speech.utterance import Utterance
from workers.process import runtime


def plan_job(job_id: str) -> Retry | None:
    """Divides the text of a user's job into parts."""
    with structlog.contextvars.bound_contextvars(job_id=job_id):
        return _unless(runtime.current().job_runner.plan(job_id))


def speak_part(job_id: str, number: int) -> Retry | None:
    """Speaks one part of a user's job."""
    with structlog.contextvars.bound_contextvars(job_id=job_id):
        return _unless(runtime.current().job_runner.speak_part(job_id, number))


def join_job(job_id: str) -> Retry | None:
    """Makes the file of a user's job out of its parts."""
    with structlog.contextvars.bound_contextvars(job_id=job_id):
        return _unless(runtime.current().job_runner.join(job_id))


def speak(utterance_json: str, request_id: str, caller: str) -> Retry | None:
    """Speaks one utterance into its stream. `request_id` is that of the request that caused it, for the log; `caller` is whose
    share of the machine it takes. What gave way to others goes to the end of its lane.
    """
    utterance = Utterance.from_json(utterance_json)
    job = get_current_job()
    lane = lane_of(job) if job is not None else Lane.INTERACTIVE
    with structlog.contextvars.bound_contextvars(request_id=request_id, utterance_id=utterance.id):
        is_done = runtime.current().speak(utterance, lane, caller=caller)
    return _unless(is_done)


def phonemize(text_json: str, request_id: str) -> None:
    """Finds the phonemes of a text, without speaking it. `request_id` is that of the request that caused it, for the log."""
    text = SpokenText.from_json(text_json)
    job = get_current_job()
    n_deaths = MOST_RETURNS - job.retries_left if job is not None and job.retries_left is not None else 0
    with structlog.contextvars.bound_contextvars(request_id=request_id, question_id=text.id):
        runtime.current().phonemes.answer(text, n_deaths=n_deaths)


def _unless(is_done: bool) -> Retry | None:
    """What RQ is told: nothing, or to put the job to the end of its lane."""
    return None if is_done else Retry(max=MOST_RETURNS)
