"""`create_app(settings)`: everything of the API is wired here and nowhere else."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ASGIApp

import app
from app.api import jobs, models, speech, system, voices
from app.api.auth import Keyring
from app.api.errors import EXCEPTION_HANDLERS
from app.api.headers import AnswerHeaders
from app.core import keys
from app.core.bell import Bell
from app.core.broker import Broker
from app.core.connections import connect, connect_async
from app.core.fleet import RedisFleet, process_name
from app.core.jobs import Jobs
from app.core.ledger import API_SHARE, Ledger
from app.core.settings import Settings
from app.core.store import open_store
from app.core.voices import load_catalogue
from app.delivery import Delivery

MAX_BODY_BYTES: Final = 1024**2

ROUTES: Final = [
    speech.create_speech,
    jobs.create_job,
    jobs.list_jobs,
    jobs.get_job,
    jobs.watch_job,
    jobs.get_content,
    jobs.get_captions,
    jobs.cancel_job,
    jobs.delete_job,
    models.list_models,
    models.get_model,
    voices.list_voices,
    voices.list_model_choices,
    system.health,
    system.readiness,
]


def create_litestar(settings: Settings, redis_url: str) -> Litestar:
    """The Litestar application. Redis is not asked for anything before the first request."""
    redis, blocking = connect_async(redis_url), connect(redis_url)
    bell, jobs_bell, fleet = Bell(redis, keys.BELL), Bell(redis, keys.JOBS_BELL), RedisFleet(redis)
    broker = Broker(blocking, max_queue=settings.max_queue)
    # Nobody waits longer than `max_wait`; a record whose API process died before it was submitted must not be joined long.
    ledger = Ledger(
        redis,
        api=process_name(),
        cache_ttl=settings.cache_ttl,
        cache_bytes=settings.cache_bytes,
        queued_ttl=math.ceil(2 * settings.max_wait),
        stream_bytes=settings.stream_bytes,
        api_ttl=math.ceil(API_SHARE * settings.worker_timeout),
    )
    delivery = Delivery(redis=redis, bell=bell, ledger=ledger, broker=broker, fleet=fleet, max_wait_seconds=settings.max_wait)
    given = {
        "settings": settings,
        "catalogue": load_catalogue(settings.voices_file),
        "fleet": fleet,
        "broker": broker,
        "delivery": delivery,
        "jobs": Jobs(redis, jobs_bell, job_ttl=settings.job_ttl),
        "store": open_store(settings),
    }

    @asynccontextmanager
    async def lifespan(litestar: Litestar) -> AsyncIterator[None]:
        litestar.state.keyring = Keyring(settings.api_keys)
        bell.start()
        jobs_bell.start()
        try:
            await delivery.start()
            yield
        finally:
            await delivery.stop()
            await bell.stop()
            await jobs_bell.stop()
            await redis.aclose()
            blocking.close()

    return Litestar(
        route_handlers=ROUTES,
        dependencies={name: _give(value) for name, value in given.items()},
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[lifespan],
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Koe", version=app.__version__, summary="OpenAI's speech API on your own machines.", path="/schema"
        ),
    )


def create_app(settings: Settings, redis_url: str) -> ASGIApp:
    """The whole application: Litestar's, within the headers that every answer has."""
    return AnswerHeaders(create_litestar(settings, redis_url))


def _give(value: Any) -> Provide:
    return Provide(lambda: value, use_cache=True, sync_to_thread=False)
