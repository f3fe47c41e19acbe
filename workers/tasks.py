"""The functions that RQ calls, by dotted name."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime

import structlog
from rq import Retry, get_current_job
from typing_extensions import Unpack

from app.core.queue.broker import MAX_RETURNS, QueueName, queue_of, trace_of
from app.core.speech.spoken_text import SpokenText
from app.core.speech.utterance import Utterance
from app.core.tracing.spans import Facts, Span
from workers.process import runtime


def plan_job(job_id: str) -> Retry | None:
    """Divides the text of a job into parts."""
    with _begin_span("plan", job_id=job_id) as span, _logged(span, job_id=job_id):
        _record_wait()
        return _retry_unless(runtime.current().job_runner.plan(job_id, span))


def speak_part(job_id: str, number: int) -> Retry | None:
    """Speaks one part of a job."""
    with _begin_span("part", job_id=job_id, part=number) as span, _logged(span, job_id=job_id):
        _record_wait()
        return _retry_unless(runtime.current().job_runner.speak_part(job_id, number, span))


def join_job(job_id: str) -> Retry | None:
    """Joins the parts of a job into its file."""
    with _begin_span("join", job_id=job_id) as span, _logged(span, job_id=job_id):
        _record_wait()
        return _retry_unless(runtime.current().job_runner.join(job_id, span))


def speak(utterance_json: str, request_id: str, owner: str, heard_seconds: float = 0.0) -> Retry | None:
    """Speaks one utterance into its stream. A preempted utterance goes to the end of its queue.

    `request_id`: the request that caused it, for the log. `owner`: the owner whose share of the machine it uses.
    `heard_seconds`: how long its listener still heard something else when it was submitted.
    """
    utterance = Utterance.from_json(utterance_json)
    job = get_current_job()
    queue_name = queue_of(job) if job is not None else QueueName.INTERACTIVE
    with (
        _begin_span("synthesize") as span,
        _logged(span, request_id=request_id, utterance_id=utterance.id),
    ):
        is_done = runtime.current().speak(utterance, queue_name, owner=owner, heard_seconds=heard_seconds, span=span)
    return _retry_unless(is_done)


def phonemize(text_json: str, request_id: str) -> None:
    """Finds the phonemes of a text without speaking it. `request_id`: the request that caused it, for the log."""
    text = SpokenText.from_json(text_json)
    job = get_current_job()
    n_deaths = MAX_RETURNS - job.retries_left if job is not None and job.retries_left is not None else 0
    with _begin_span("phonemize") as span, _logged(span, request_id=request_id, question_id=text.id):
        runtime.current().phonemes.answer(text, n_deaths=n_deaths, span=span)


def read_document(document_id: str, request_id: str) -> Retry | None:
    """Reads a file that a user has sent. `request_id`: the request that sent it, for the log."""
    with _begin_span("read") as span, _logged(span, request_id=request_id, document_id=document_id):
        return _retry_unless(runtime.current().documents.answer(document_id, span))


def _begin_span(name: str, **facts: Unpack[Facts]) -> Span:
    """Begins the span of the current task, after a span of its wait in the queue. Both are in the trace of its message."""
    tracing, job = runtime.current().tracing, get_current_job()
    if job is None or not tracing.is_on:
        return tracing.begin(name, kind="consumer", **facts)
    trace, queue = trace_of(job), queue_of(job).value
    if job.enqueued_at is not None:
        tracing.begin("queue wait", context=trace, started_at=job.enqueued_at.timestamp(), queue=queue).end()
    return tracing.begin(name, kind="consumer", context=trace, **(facts | {"queue": queue}))


def _logged(span: Span, **fields: str) -> AbstractContextManager[None]:
    """Adds these fields, and the span's, to all log lines of the block."""
    return structlog.contextvars.bound_contextvars(**fields, **span.log_fields)


def _record_wait() -> None:
    """Records how long a step of a job waited, by the clocks of this machine and of the one that queued it."""
    job = get_current_job()
    if job is not None and job.enqueued_at is not None:
        seconds = (datetime.now(UTC) - job.enqueued_at).total_seconds()
        runtime.current().measures.record_wait(QueueName.BATCH.value, seconds)


def _retry_unless(is_done: bool) -> Retry | None:
    """Returns the result for RQ: None if the task is done, or Retry to put it at the end of its queue."""
    return None if is_done else Retry(max=MAX_RETURNS)
