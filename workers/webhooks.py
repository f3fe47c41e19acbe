"""The ends of jobs, told to the addresses that their owners named: what is due, what was taken, and what is tried again.

Why the message is made as it leaves: a job that has ended changes no more, so every try sends the same bytes under the same id.

Why a webhook is lent and not taken: the process that has it may die before it is in the lane, or while it is sent.
"""

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, cast

import msgspec
import structlog
from redis import Redis

from app.core import keys
from app.core.broker import Task, enqueue_task
from app.core.job_object import show_job
from app.core.jobs import Job, JobBook
from app.core.webhooks import deliver

log: Final = structlog.get_logger()

RETRY_SECONDS: Final = (5, 30, 120, 600, 3600, 10_800)
"""From a try that failed to the next; after the last of them the webhook is given up."""

_LENT_SECONDS: Final = 60
"""What was handed to a worker is due again after this, should nothing be heard of it; a try takes less."""

_TAKEN: Final = range(200, 300)
_MOST_AT_ONCE: Final = 100
_TRIES_TTL_SECONDS: Final = 2 * sum(RETRY_SECONDS)

# KEYS: webhooks. ARGV: id, now, until when it is lent. Returns 1 to the one caller who is to hand it on.
_LEND: Final = """
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 1
"""

# KEYS: webhooks, tries. ARGV: id, now, ttl of the tries, then the seconds between tries.
# Returns how often it was tried, and the seconds until it is again, or -1.
_POSTPONE: Final = """
local n_tries = redis.call('INCR', KEYS[2])
local wait = ARGV[3 + n_tries]
if wait and redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  redis.call('ZADD', KEYS[1], ARGV[2] + wait, ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[3])
  return {n_tries, tonumber(wait)}
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return {n_tries, -1}
"""


def due_webhooks(redis: Redis) -> None:
    """Puts what is due into the batch lane. To be called every second or so, by every pool."""
    now = time.time()
    found = cast("list[bytes]", redis.zrangebyscore(keys.WEBHOOKS, "-inf", now, start=0, num=_MOST_AT_ONCE))
    lend = redis.register_script(_LEND)
    for job_id in (name.decode() for name in found):
        if lend(keys=[keys.WEBHOOKS], args=[job_id, now, now + _LENT_SECONDS]):
            enqueue_task(redis, Task.NOTIFY, [job_id], job_id=f"{job_id}-notify", description="webhook of a job")


class Webhooks:
    """Tells the ends of jobs, one try at a time."""

    def __init__(self, *, redis: Redis, jobs: JobBook, secret: str | None, private: bool) -> None:
        """`secret` signs; `private`: whether private and loopback addresses are allowed."""
        self._redis = redis
        self._jobs = jobs
        self._secret = secret
        self._private = private
        self._postpone = redis.register_script(_POSTPONE)

    def notify(self, job_id: str) -> None:
        """Tries once to tell how the job ended, and keeps in Redis when to try again if that was not taken."""
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


def event_of(job: Job) -> bytes:
    """The body of an ended job's webhook (JSON): the same bytes whenever it is made."""
    ended = datetime.fromtimestamp(job.completed_at or job.created_at, UTC)
    event = {
        "type": f"audio.speech.job.{job.status.value}",
        "timestamp": ended.isoformat().replace("+00:00", "Z"),
        "data": show_job(job),
    }
    return msgspec.json.encode(event)
