"""`create_app(settings)`: everything of the API is wired here and nowhere else."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from litestar import Litestar
from litestar.types import ASGIApp

from app.access.keyring import Keyring
from app.access.limiter import Limiter
from app.api.dependencies import Dependencies
from app.api.measures import Metrics, SharedView
from app.api.middleware.cors import CrossOrigin
from app.api.middleware.head import HeadAnswers
from app.api.middleware.headers import AnswerHeaders
from app.api.middleware.host_check import Entrance
from app.api.middleware.request_log import Observed
from app.api.middleware.root_path import Prefixed
from app.api.openapi.describe import describe
from app.api.responses.errors import EXCEPTION_HANDLERS
from app.api.routes import jobs, models, phonemize, speech, system, voices
from app.api.routes.metrics import get_metrics
from app.api.routes.options import answer_options
from app.api.routes.page import show_page
from app.core.jobs.files import open_store
from app.core.jobs.jobs import Jobs
from app.core.queue.answers import Asker
from app.core.queue.broker import Broker
from app.core.queue.fleet import RedisFleet, process_name
from app.core.queue.registry import API_SHARE, Ledger
from app.core.request_limits import BODY_BYTES
from app.core.settings import Settings
from app.core.speech.lexicon import read_lexicon
from app.core.speech.voices import load_catalogue
from app.core.storage import keys
from app.core.storage.connections import connect, connect_async
from app.core.storage.notifier import Bell
from app.delivery.delivery import Delivery
from app.web.page import load_page

ROUTES: Final = [
    speech.create_speech,
    speech.create_speech_at_deployment,
    phonemize.phonemize,
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
    models.get_owned_model,
    voices.list_voices,
    voices.list_voices_beside_models,
    voices.list_model_choices,
    system.health,
    system.readiness,
    get_metrics,
    show_page,
]


def create_litestar(settings: Settings, redis_url: str) -> Litestar:
    """The Litestar application. Redis is not asked for anything before the first request."""
    redis, blocking = connect_async(redis_url), connect(redis_url)
    bell, jobs_bell, fleet = Bell(redis, keys.BELL), Bell(redis, keys.JOBS_BELL), RedisFleet(redis)
    broker = Broker(blocking, max_queue=settings.max_queue)
    name, api_ttl = process_name(), math.ceil(API_SHARE * settings.worker_timeout)
    # Nobody waits longer than `max_wait`; a record whose API process died before it was submitted must not be joined long.
    ledger = Ledger(
        redis,
        api=name,
        cache_ttl=settings.cache_ttl,
        cache_bytes=settings.cache_bytes,
        queued_ttl=math.ceil(2 * settings.max_wait),
        stream_bytes=settings.stream_bytes,
        api_ttl=api_ttl,
    )
    delivery = Delivery(redis=redis, bell=bell, ledger=ledger, broker=broker, fleet=fleet, max_wait_seconds=settings.max_wait)
    metrics, catalogue = Metrics(), load_catalogue(settings.voices_file)
    dependencies = Dependencies(
        settings=settings,
        catalogue=catalogue,
        fleet=fleet,
        broker=broker,
        delivery=delivery,
        asker=Asker(redis=redis, bell=bell, broker=broker, fleet=fleet, max_wait_seconds=settings.max_wait),
        lexicon=read_lexicon(settings.lexicon),
        limiter=Limiter(redis, api=name, api_ttl=api_ttl),
        jobs=Jobs(redis, jobs_bell, job_ttl=settings.job_ttl),
        store=open_store(settings),
        metrics=metrics,
        shared=SharedView(redis, blocking, fleet),
        page=load_page(),
    )

    @asynccontextmanager
    async def lifespan(litestar: Litestar) -> AsyncIterator[None]:
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

    litestar = Litestar(
        route_handlers=[*answer_options(ROUTES), *ROUTES],
        dependencies=dependencies.providers(),
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[lifespan],
        request_max_body_size=BODY_BYTES,
        logging_config=None,
        openapi_config=describe(ROUTES, settings, catalogue),
    )
    litestar.state.metrics = metrics
    litestar.state.keyring = Keyring(settings)
    return litestar


def create_app(settings: Settings, redis_url: str) -> ASGIApp:
    """The whole application: around Litestar's stands what holds for every request, from the inside to the outside."""
    litestar = create_litestar(settings, redis_url)
    keyring: Keyring = litestar.state.keyring
    app: ASGIApp = Prefixed(HeadAnswers(litestar), settings.root_path)
    app = Entrance(
        app,
        names=(settings.host, *settings.allowed_hosts),
        asks_host=lambda: keyring.is_open and not settings.is_everywhere,
    )
    if settings.cors_origins:
        app = CrossOrigin(app, settings.cors_origins)
    return AnswerHeaders(Observed(app, litestar.state.metrics))
