"""Sends webhooks at the end of jobs: finds due webhooks, sends them, and retries failed ones.

Why the message is built when it is sent: an ended job does not change any more, so every try sends the same bytes with the same
id.

Why a webhook is lent for a limited time: if the sending process dies, the webhook is due again.

Why there are separate threads, and limits for each owner and each host: a server that accepts a connection and does not answer
takes the full time of a try. Speech, jobs and the webhooks of other owners must not wait for it.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, cast

import msgspec
import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.core.jobs.job import Job
from app.core.jobs.job_store import JobStore
from app.core.jobs.job_view import show_job
from app.core.logs import describe
from app.core.storage import keys
from app.core.storage.lua import load_script
from workers.jobs.webhook_delivery import TRY_SECONDS, deliver
from workers.measures import Measures, WebhookOutcome

log: Final = structlog.get_logger()

RETRY_SECONDS: Final = (5, 30, 120, 600, 3600, 10_800)
"""Waits after failed tries. After the last one the webhook is given up."""

MAX_SENDERS: Final = 8
"""Most webhooks that one worker process sends at a time."""
MAX_PER_OWNER: Final = 4
"""Most webhooks of one owner that all workers together send at a time."""
MAX_PER_HOST: Final = 2
"""Most webhooks to one host that all workers together send at a time."""

_LENT_SECONDS: Final = 30
"""A lent webhook is due again after this time, unless its result is stored before. A try takes less."""
_POLL_SECONDS: Final = 0.5
"""Interval between two searches for due webhooks."""

_ACCEPTED: Final = range(200, 300)
_TRIES_TTL_SECONDS: Final = 2 * sum(RETRY_SECONDS)


class Webhooks:
    """Sends webhooks, one try at a time."""

    def __init__(
        self, *, redis: Redis, jobs: JobStore, secret: str | None, private: bool, measures: Measures | None = None
    ) -> None:
        """`secret`: the key of signatures; `private`: whether private and loopback addresses are allowed."""
        self._measures = measures or Measures()
        self._redis = redis
        self._jobs = jobs
        self._secret = secret
        self._private = private
        self._postpone = redis.register_script(load_script(__file__, "postpone_webhook"))
        self._lend = redis.register_script(load_script(__file__, "lend_webhooks"))
        self._release = redis.register_script(load_script(__file__, "release_webhook"))

    def lend(self, n_most: int) -> list[str]:
        """Lends at most `n_most` due webhooks to the caller alone, and returns the ids of their jobs. Raises RedisError."""
        args = [n_most, _LENT_SECONDS, MAX_PER_OWNER, MAX_PER_HOST]
        return [job_id.decode() for job_id in cast("list[bytes]", self._lend(keys=[keys.WEBHOOKS], args=args))]

    def notify(self, job_id: str) -> None:
        """Sends the job's webhook once. If that fails, stores in Redis when to try again."""
        started = time.monotonic()
        self._notify(job_id)
        # A slow name look-up continues after the try, so its owner and host stay busy for a while.
        if time.monotonic() - started < TRY_SECONDS:
            self._release(keys=[], args=[job_id])

    def _notify(self, job_id: str) -> None:
        job = self._jobs.load(job_id)
        if job is None or job.webhook_url is None or not job.status.is_ended:
            self._settle(job_id)
            return
        status = self._send(job, job.webhook_url)
        if status in _ACCEPTED:
            log.info("webhook_delivered", status=status)
            self._measures.count_webhook(WebhookOutcome.DELIVERED)
            self._settle(job_id)
        elif status == HTTPStatus.GONE:
            log.warning("webhook_not_wanted", status=status)
            self._measures.count_webhook(WebhookOutcome.UNWANTED)
            self._settle(job_id)
        else:
            self._try_again(job_id, status)

    def _send(self, job: Job, url: str) -> int | None:
        if self._secret is None:
            log.error("webhook_unsigned", remedy="Set KOE_WEBHOOK_SECRET for the workers too.")
            return None
        message_id = f"msg_{job.id.removeprefix('job_')}"
        return deliver(url, secret=self._secret, message_id=message_id, body=event_of(job), private=self._private)

    def _try_again(self, job_id: str, status: int | None) -> None:
        redis_keys = [keys.WEBHOOKS, keys.webhook_tries(job_id)]
        args: list[str | float] = [job_id, time.time(), _TRIES_TTL_SECONDS, *RETRY_SECONDS]
        n_tries, wait_seconds = cast("list[int]", self._postpone(keys=redis_keys, args=args))
        if wait_seconds < 0:
            log.error("webhook_given_up", status=status, n_tries=n_tries)
            self._measures.count_webhook(WebhookOutcome.GIVEN_UP)
        else:
            log.warning("webhook_failed", status=status, n_tries=n_tries, again_in_seconds=wait_seconds)
            self._measures.count_webhook(WebhookOutcome.FAILED)

    def _settle(self, job_id: str) -> None:
        self._redis.zrem(keys.WEBHOOKS, job_id)
        self._redis.delete(keys.webhook_tries(job_id))


class Senders:
    """The threads of a worker process that send due webhooks, at most MAX_SENDERS, from `start` to `stop`."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks
        self._stopping = threading.Event()
        self._sending: list[threading.Thread] = []
        self._polling = threading.Thread(target=self._poll, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begins to search for due webhooks."""
        self._polling.start()

    def stop(self) -> None:
        """Starts no new try, and waits for the running ones: a few seconds at most."""
        self._stopping.set()
        self._polling.join()
        for thread in self._sending:
            thread.join()

    def _poll(self) -> None:
        while not self._stopping.wait(_POLL_SECONDS):
            self._sending = [thread for thread in self._sending if thread.is_alive()]
            if len(self._sending) < MAX_SENDERS:
                _log_failure(self._start_sending)

    def _start_sending(self) -> None:
        for job_id in self._webhooks.lend(MAX_SENDERS - len(self._sending)):
            thread = threading.Thread(target=self._send, args=(job_id,), name=f"webhook {job_id}", daemon=True)
            self._sending.append(thread)
            thread.start()

    def _send(self, job_id: str) -> None:
        with structlog.contextvars.bound_contextvars(job_id=job_id):
            _log_failure(lambda: self._webhooks.notify(job_id))


def _log_failure(step: Callable[[], None]) -> None:
    """Calls `step` and logs a failure. A lent webhook is due again without further action."""
    try:
        step()
    except RedisError as error:
        log.warning("webhooks_missed", error=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - border of a thread: the webhook is due again later
        log.error("unforeseen_error", **describe(error))


def event_of(job: Job) -> bytes:
    """Returns the body of an ended job's webhook (JSON). It is the same at every call."""
    ended = datetime.fromtimestamp(job.completed_at or job.created_at, UTC)
    event = {
        "type": f"audio.speech.job.{job.status.value}",
        "timestamp": ended.isoformat().replace("+00:00", "Z"),
        "data": show_job(job),
    }
    return msgspec.json.encode(event)
