"""The ends of jobs, told to the addresses that their owners named: what is due, what was taken, and what is tried again.

Why the message is made as it leaves: a job that has ended changes no more, so every try sends the same bytes under the same id.

Why a webhook is lent and not taken: the process that has it may die while it is sent, and it is due again then.

Why it has threads of its own, and few at a time for each owner and each host: an address that accepts and says nothing costs a
try all its time. Nobody's speech, nobody's job and nobody else's webhook is to wait for that.
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
from app.core.jobs.job_store import JobBook
from app.core.jobs.job_view import show_job
from app.core.logs import describe
from app.core.storage import keys
from app.core.storage.lua import load_script
from workers.jobs.webhook_delivery import TRY_SECONDS, deliver

log: Final = structlog.get_logger()

RETRY_SECONDS: Final = (5, 30, 120, 600, 3600, 10_800)
"""From a try that failed to the next; after the last of them the webhook is given up."""

MAX_SENDERS: Final = 8
"""Webhooks that one worker process tells at a time."""
MAX_PER_OWNER: Final = 4
"""Webhooks of one owner that are told at a time, by all workers."""
MAX_PER_HOST: Final = 2
"""The same to one host."""

_LENT_SECONDS: Final = 30
"""What was lent is due again after this, should nothing be heard of it; a try takes less."""
_LOOK_SECONDS: Final = 0.5
"""Between two looks at what is due."""

_TAKEN: Final = range(200, 300)
_TRIES_TTL_SECONDS: Final = 2 * sum(RETRY_SECONDS)


class Webhooks:
    """Tells the ends of jobs, one try at a time."""

    def __init__(self, *, redis: Redis, jobs: JobBook, secret: str | None, private: bool) -> None:
        """`secret` signs; `private`: whether private and loopback addresses are allowed."""
        self._redis = redis
        self._jobs = jobs
        self._secret = secret
        self._private = private
        self._postpone = redis.register_script(load_script(__file__, "postpone_webhook"))
        self._lend = redis.register_script(load_script(__file__, "lend_webhooks"))
        self._release = redis.register_script(load_script(__file__, "release_webhook"))

    def lend(self, n_most: int) -> list[str]:
        """The jobs whose ends are to be told now, `n_most` at most: nobody else is given them meanwhile. Raises RedisError."""
        args = [n_most, _LENT_SECONDS, MAX_PER_OWNER, MAX_PER_HOST]
        return [job_id.decode() for job_id in cast("list[bytes]", self._lend(keys=[keys.WEBHOOKS], args=args))]

    def notify(self, job_id: str) -> None:
        """Tries once to tell how the job ended, and keeps in Redis when to try again if that was not taken."""
        started = time.monotonic()
        self._notify(job_id)
        # A name that is not resolved is looked up beyond the end of the try, so its owner and host stay busy for a while.
        if time.monotonic() - started < TRY_SECONDS:
            self._release(keys=[], args=[job_id])

    def _notify(self, job_id: str) -> None:
        job = self._jobs.load(job_id)
        if job is None or job.webhook_url is None or not job.status.is_ended:
            self._settle(job_id)
            return
        status = self._send(job, job.webhook_url)
        if status in _TAKEN:
            log.info("webhook_delivered", status=status)
            self._settle(job_id)
        elif status == HTTPStatus.GONE:
            log.warning("webhook_not_wanted", status=status)
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
        rooms = [keys.WEBHOOKS, keys.webhook_tries(job_id)]
        args: list[str | float] = [job_id, time.time(), _TRIES_TTL_SECONDS, *RETRY_SECONDS]
        n_tries, wait_seconds = cast("list[int]", self._postpone(keys=rooms, args=args))
        if wait_seconds < 0:
            log.error("webhook_given_up", status=status, n_tries=n_tries)
        else:
            log.warning("webhook_failed", status=status, n_tries=n_tries, again_in_seconds=wait_seconds)

    def _settle(self, job_id: str) -> None:
        self._redis.zrem(keys.WEBHOOKS, job_id)
        self._redis.delete(keys.webhook_tries(job_id))


class Senders:
    """The threads of a worker process that tell what is due, MAX_SENDERS at most, from `start` to `stop`."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks
        self._stopping = threading.Event()
        self._sending: list[threading.Thread] = []
        self._looking = threading.Thread(target=self._look_again_and_again, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begins to look for what is due."""
        self._looking.start()

    def stop(self) -> None:
        """Tells nothing new, and waits for what is on its way: a few seconds at most."""
        self._stopping.set()
        self._looking.join()
        for thread in self._sending:
            thread.join()

    def _look_again_and_again(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self._sending = [thread for thread in self._sending if thread.is_alive()]
            if len(self._sending) < MAX_SENDERS:
                _noted(self._hand_out)

    def _hand_out(self) -> None:
        for job_id in self._webhooks.lend(MAX_SENDERS - len(self._sending)):
            thread = threading.Thread(target=self._send, args=(job_id,), name=f"webhook {job_id}", daemon=True)
            self._sending.append(thread)
            thread.start()

    def _send(self, job_id: str) -> None:
        with structlog.contextvars.bound_contextvars(job_id=job_id):
            _noted(lambda: self._webhooks.notify(job_id))


def _noted(step: Callable[[], None]) -> None:
    """Does it; a failure is logged. What was lent is due again by itself."""
    try:
        step()
    except RedisError as error:
        log.warning("webhooks_missed", error=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - border of a thread: the webhook is due again later
        log.error("unforeseen_error", **describe(error))


def event_of(job: Job) -> bytes:
    """The body of an ended job's webhook (JSON): the same bytes whenever it is made."""
    ended = datetime.fromtimestamp(job.completed_at or job.created_at, UTC)
    event = {
        "type": f"audio.speech.job.{job.status.value}",
        "timestamp": ended.isoformat().replace("+00:00", "Z"),
        "data": show_job(job),
    }
    return msgspec.json.encode(event)
