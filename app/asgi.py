"""`create_app(settings)` builds the API: the one place where its objects are created and passed to each other."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Scope, Send
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.access.client_secrets import ClientSecrets
from app.access.keyring import Key, Keyring
from app.access.limiter import Limiter
from app.api.dependencies import Dependencies
from app.api.live.open_wyoming import MakeSession, open_wyoming
from app.api.measures import Metrics, SharedView
from app.api.middleware.cors import CrossOrigin
from app.api.middleware.head import HeadAnswers
from app.api.middleware.headers import AnswerHeaders
from app.api.middleware.host_check import HostCheck
from app.api.middleware.request_log import Observed
from app.api.middleware.root_path import Prefixed
from app.api.middleware.sockets import ObservedSockets
from app.api.openapi.describe import Description
from app.api.openapi.swagger import docs_router
from app.api.requests.reader import RequestReader
from app.api.responses.errors import EXCEPTION_HANDLERS
from app.api.routes import custom_voices, documents, jobs, lexicon, live, models, phonemize, speech, system, voices
from app.api.routes.metrics import get_metrics
from app.api.routes.options import answer_options
from app.api.routes.page import show_page, show_web_file
from app.core.custom_voices.custom_voices import CustomVoices
from app.core.custom_voices.voice_consents import VoiceConsents
from app.core.documents.documents import Documents
from app.core.jobs.files import Store
from app.core.jobs.jobs import Jobs
from app.core.lexicons.lexicons import Lexicons
from app.core.queue.answers import Asker
from app.core.queue.broker import Broker
from app.core.queue.fleet import FleetView, RedisFleet, process_name
from app.core.queue.fleet_memory import ExpectedFleet, FleetMemory, WatchedFleet
from app.core.queue.registry import API_SHARE, Registry
from app.core.request_limits import BODY_BYTES
from app.core.settings import OFF, Settings
from app.core.speech.lexicon import read_lexicon
from app.core.speech.voices import Catalogue, load_catalogue
from app.core.storage import keys
from app.core.storage.connections import connect, connect_async
from app.core.storage.notifier import Notifier
from app.core.tracing.open_tracing import open_tracing
from app.core.tracing.spans import NO_TRACING, Tracing
from app.delivery.delivery import Delivery
from app.web.page import load_site

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
    lexicon.list_words,
    lexicon.put_word,
    lexicon.delete_word,
    documents.create_document,
    documents.list_documents,
    documents.get_document,
    documents.get_chapter,
    documents.get_cover,
    documents.delete_document,
    live.create_client_secret,
    models.list_models,
    models.get_model,
    models.get_owned_model,
    voices.list_voices,
    voices.list_voices_beside_models,
    voices.list_model_choices,
    custom_voices.create_voice,
    custom_voices.delete_voice,
    custom_voices.create_voice_consent,
    custom_voices.list_voice_consents,
    custom_voices.get_voice_consent,
    custom_voices.rename_voice_consent,
    custom_voices.delete_voice_consent,
    system.health,
    system.readiness,
    get_metrics,
    show_page,
]


SOCKETS: Final = [live.speak_like_together, live.speak_like_cartesia, live.speak_like_openai]


def create_litestar(settings: Settings, redis_url: str, tracing: Tracing = NO_TRACING) -> Litestar:
    """The Litestar application. It asks Redis for nothing before the first request. It closes `tracing` at its end."""
    redis, blocking = connect_async(redis_url), connect(redis_url)
    notifier, jobs_notifier = Notifier(redis, keys.NOTIFICATIONS), Notifier(redis, keys.JOB_NOTIFICATIONS)
    (fleet, expected), broker = _create_fleet(settings, redis), Broker(blocking, max_queue=settings.max_queue)
    api, api_ttl = process_name(), math.ceil(API_SHARE * settings.worker_timeout)
    registry = _create_registry(settings, redis, api, api_ttl)
    delivery = Delivery(
        redis=redis, notifier=notifier, registry=registry, broker=broker, fleet=fleet, max_wait_seconds=settings.max_wait
    )
    catalogue, metrics, keyring = load_catalogue(settings.voices_file), Metrics(), _create_keyring(settings)
    lexicons, own_voices = Lexicons(redis, is_writable=settings.lexicon_writable), CustomVoices(redis)
    dependencies = Dependencies(
        asker=Asker(redis=redis, notifier=notifier, broker=broker, fleet=fleet, max_wait_seconds=settings.max_wait),
        broker=broker,
        catalogue=catalogue,
        client_secrets=ClientSecrets(redis),
        custom_voices=own_voices,
        delivery=delivery,
        documents=Documents(redis, document_ttl=settings.document_ttl),
        expected=expected,
        fleet=fleet,
        jobs=Jobs(redis, jobs_notifier, job_ttl=settings.job_ttl),
        lexicons=lexicons,
        limiter=Limiter(redis, api=api, api_ttl=api_ttl),
        metrics=metrics,
        reader=_create_reader(settings, catalogue, expected, lexicons, own_voices),
        shared=SharedView(redis, blocking, fleet),
        site=load_site(),
        store=Store(settings.store_url, reserve_bytes=settings.store_reserve),
        voice_consents=VoiceConsents(redis),
    )
    return Litestar(
        route_handlers=[
            *answer_options(ROUTES),
            *ROUTES,
            *SOCKETS,
            show_web_file,
            docs_router(create_description(settings, catalogue)),
        ],
        dependencies=dependencies.providers(),
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[lambda _: _lifespan(delivery, (notifier, jobs_notifier), redis, blocking, tracing)],
        request_max_body_size=BODY_BYTES,
        logging_config=None,
        openapi_config=None,
        state=State(
            {
                "metrics": metrics,
                "keyring": keyring,
                "origins": frozenset(map(str.lower, settings.cors_origins)),
                "wyoming": _create_wyoming(settings, dependencies, keyring),
            }
        ),
    )


def create_description(settings: Settings, catalogue: Catalogue) -> Description:
    """The description of a server with these settings and voices."""
    return Description(
        catalogue,
        has_keys=settings.has_keys,
        max_input_chars=settings.max_input_chars,
        max_job_chars=settings.max_job_chars,
        sends_webhooks=settings.webhook_secret is not None,
    )


class Application:
    """The whole application: what answers HTTP, and what serves Wyoming clients."""

    def __init__(self, app: ASGIApp, wyoming: MakeSession | None) -> None:
        self._app = app
        self.wyoming = wyoming
        """Makes the sessions of Wyoming clients; None without `KOE_WYOMING`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        await self._app(scope, receive, send)


def create_app(settings: Settings, redis_url: str) -> Application:
    """The whole application: around Litestar's stands what holds for every request, from the inside to the outside."""
    tracing = open_tracing(settings.otlp_endpoint, service="koe-api", instance=process_name())
    litestar = create_litestar(settings, redis_url, tracing)
    keyring: Keyring = litestar.state.keyring
    app: ASGIApp = Prefixed(HeadAnswers(litestar), settings.root_path)
    app = HostCheck(
        app,
        names=(settings.host, *settings.allowed_hosts),
        asks_host=lambda: keyring.is_open and not settings.is_everywhere,
    )
    if settings.cors_origins:
        app = CrossOrigin(app, settings.cors_origins)
    app = AnswerHeaders(ObservedSockets(Observed(app, litestar.state.metrics, tracing)))
    return Application(app, litestar.state.wyoming)


def _create_keyring(settings: Settings) -> Keyring:
    default = Key(rate_limit=settings.rate_limit, max_concurrent=settings.max_concurrent, max_jobs=settings.max_open_jobs)
    return Keyring([key.reveal() for key in settings.api_keys], settings.api_keys_file, default=default)


def _create_wyoming(settings: Settings, dependencies: Dependencies, keyring: Keyring) -> MakeSession | None:
    if not settings.wyoming:
        return None
    return open_wyoming(
        keyring=keyring,
        key_name=settings.wyoming_key,
        reader=dependencies.reader,
        delivery=dependencies.delivery,
        limiter=dependencies.limiter,
        metrics=dependencies.metrics,
        keep_alive_seconds=settings.keep_alive,
        is_announced=settings.wyoming_zeroconf != OFF,
    )


def _create_fleet(settings: Settings, redis: AsyncRedis) -> tuple[FleetView, FleetView]:
    """The live workers, and those that requests are made for."""
    fleet = RedisFleet(redis)
    if not settings.wait_for_worker:
        return fleet, fleet
    memory = FleetMemory(redis, engine=settings.engine)
    watched = WatchedFleet(fleet, memory)
    return watched, ExpectedFleet(watched, memory)


def _create_registry(settings: Settings, redis: AsyncRedis, api: str, api_ttl: int) -> Registry:
    return Registry(
        redis,
        api=api,
        cache_ttl=settings.cache_ttl,
        cache_bytes=settings.cache_bytes,
        # Longer than any reader waits, and short enough that nobody joins work that a dead API process never submitted.
        queued_ttl=math.ceil(2 * settings.max_wait),
        stream_bytes=settings.stream_bytes,
        api_ttl=api_ttl,
    )


def _create_reader(
    settings: Settings, catalogue: Catalogue, fleet: FleetView, lexicons: Lexicons, own_voices: CustomVoices
) -> RequestReader:
    return RequestReader(
        catalogue=catalogue,
        custom_voices=own_voices,
        fleet=fleet,
        lexicon=read_lexicon(settings.lexicon),
        lexicons=lexicons,
        max_input_chars=settings.max_input_chars,
        max_job_chars=settings.max_job_chars,
        mp3_bitrate=settings.mp3_bitrate,
        emoji=settings.emoji,
        code=settings.code,
        think=settings.think,
        is_cache_shared=settings.cache_shared,
        signs_webhooks=settings.webhook_secret is not None,
        allows_private_webhooks=settings.webhook_private,
    )


@asynccontextmanager
async def _lifespan(
    delivery: Delivery, notifiers: Iterable[Notifier], redis: AsyncRedis, blocking: Redis, tracing: Tracing
) -> AsyncIterator[None]:
    for notifier in notifiers:
        notifier.start()
    try:
        await delivery.start()
        yield
    finally:
        await delivery.stop()
        for notifier in notifiers:
            await notifier.stop()
        await redis.aclose()
        blocking.close()
        await asyncio.to_thread(tracing.close)
