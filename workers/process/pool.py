"""One worker process: slots, heartbeat, shutdown."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import msgspec
import structlog
from redis.exceptions import RedisError
from rq.registry import clean_registries

from app.core.host.processors import n_cores
from app.core.jobs.files import Store
from app.core.jobs.job_store import JobStore
from app.core.logs import describe
from app.core.metrics.handover import HANDOVER_SECONDS, Handover
from app.core.queue.activity import Activity, forget_activity, report_activity
from app.core.queue.broker import QueueName, rq_queue, share_batch_fairly
from app.core.queue.fleet import Registration, Vitals, announce, count_deaths, process_name, withdraw
from app.core.queue.registry import WorkerRegistry
from app.core.queue.segment_cache import Budget, sweep_segment_cache
from app.core.settings import Settings
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.storage import keys
from app.core.storage.connections import connect
from app.core.storage.redis_check import check_redis
from app.core.tracing.open_tracing import open_tracing
from workers.engines.base import Engine
from workers.engines.idle import EngineFacts, IdleEngine
from workers.engines.memory import return_memory
from workers.engines.registry import Loaded
from workers.jobs.webhooks import Senders
from workers.measures import Measures
from workers.process import runtime
from workers.process.metrics_server import MetricsServer, show_worker
from workers.process.replacement import Predecessor
from workers.process.runtime import Runtime
from workers.process.slot import Slot
from workers.process.unstarted_tasks import UnstartedTasks
from workers.process.vitals import read_vitals
from workers.synthesis.encoder import find_ffmpeg
from workers.synthesis.scheduler import Scheduler
from workers.synthesis.stream_task import Limits

log: Final = structlog.get_logger()

BEAT_SECONDS: Final = 1.0
"""Longest interval between two heartbeats."""

_REGISTRATION_SHARE, _EXECUTION_SHARE = 0.6, 0.8
"""Shares of `KOE_WORKER_TIMEOUT`: how long a worker without a heartbeat counts as alive, and its tasks as running. The worker
expires first, so that its tasks are free when other workers get them. The rest of the time is for detecting this.
"""

_SWEEP_SECONDS: Final = 60.0
"""Interval at which expired jobs are deleted and stalled jobs are queued again."""

_DEFAULT_SLOTS: Final = {QueueName.INTERACTIVE: 32, QueueName.BATCH: 2}


def _nobody_follows() -> bool:
    return False


class Pool:
    """A worker with loaded engines. `warm_up` prepares it, `start` registers it and takes work, `stop` ends it."""

    def __init__(self, settings: Settings, redis_url: str, loaded: Loaded, *, is_alone: bool = True) -> None:
        """`is_alone`: whether no other process of Koe says what is missing on this machine."""
        self.name = process_name()
        self._settings = settings
        self._tracing = open_tracing(settings.otlp_endpoint, service="koe-worker", instance=self.name, warns=is_alone)
        self._redis = connect(redis_url)
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._slots = list(self._make_slots())
        self._registration = Registration(
            name=self.name,
            engines=tuple(loaded.engines),
            missing=loaded.missing,
            weights=loaded.weights,
            n_slots=len(self._slots),
            n_threads=settings.threads or n_cores(),
            started_at=time.time(),
            wire=WIRE_VERSION,
        )
        self.runtime = self._make_runtime(loaded)
        self._runtime_before: Runtime | None = None
        """The runtime of a pool in whose time this one lives, as in tests."""
        self._handover = Handover(self._redis, self.name, self.runtime.measures.registry)
        self._metrics = MetricsServer(settings.host, settings.metrics_port, self._read_metrics)
        self._senders = Senders(self.runtime.webhooks)
        self._unstarted_tasks = UnstartedTasks(self._redis, after_seconds=_REGISTRATION_SHARE * settings.worker_timeout)
        self._beat_seconds = min(BEAT_SECONDS, settings.worker_timeout / 5)
        self._is_followed = _nobody_follows
        self._sweep_at = 0.0
        self._reachable_since = time.monotonic()
        self._unreachable_at = float("-inf")
        self._threads = [
            threading.Thread(target=self._beat, name="heartbeat", daemon=True),
            threading.Thread(target=self._receive_cancellations, name="cancellations", daemon=True),
            threading.Thread(target=self._sweep_jobs, name="sweep", daemon=True),
            threading.Thread(target=self._hand_over, name="metrics", daemon=True),
        ]

    @property
    def is_replaceable(self) -> bool:
        """Whether an unloaded engine has left its libraries in this process for long, and no slot has work."""
        unloaded = self._unloaded().values()
        return any(engine.leaves_libraries for engine in unloaded) and not any(slot.is_busy for slot in self._slots)

    def predecessor(self) -> Predecessor:
        """What the worker that replaces this one needs to know."""
        facts = {name: EngineFacts.of(engine) for name, engine in self._unloaded().items()}
        return Predecessor(self.name, self.runtime.limits.pace.seconds, facts)

    def _unloaded(self) -> dict[str, IdleEngine]:
        engines = self.runtime.engines.items()
        return {name: engine for name, engine in engines if isinstance(engine, IdleEngine) and not engine.is_loaded}

    def warm_up(self, predecessor: Predecessor | None = None) -> None:
        """Warms up the engines and waits for Redis without a time limit. The time of the warm-up is the first estimate of the
        worker's pace. The engines that the `predecessor` has unloaded stay so.

        It is safe to end the process meanwhile. Raises Misconfigured if Koe cannot work with this Redis.
        """
        n_threads = self._registration.n_threads
        facts = predecessor.facts if predecessor else {}
        paces = [_warm_up(engine, n_threads) for name, engine in self.runtime.engines.items() if name not in facts]
        self.runtime.limits.pace.expect(predecessor.pace_seconds if predecessor else max(paces, default=0.0))
        self._wait_for_redis()

    def start(self, predecessor: Predecessor | None = None) -> None:
        """Registers the worker, in the place of the `predecessor`, and takes work."""
        self._runtime_before = runtime.install(self.runtime)
        if predecessor:
            self._take_the_place_of(predecessor)
        for thread in self._threads:
            thread.start()
        for slot in self._slots:
            slot.start()
        self._senders.start()
        self._metrics.start()
        log.info("worker_started", worker=self.name, engines=self._registration.engines, n_slots=len(self._slots))

    def _take_the_place_of(self, predecessor: Predecessor) -> None:
        """Registers this worker first, so that the fleet always has one of the two. If Redis fails, the predecessor expires."""
        with suppress(RedisError):
            self._announce()
            withdraw(self._redis, predecessor.worker)
            forget_activity(self._redis, predecessor.worker)

    def stop(self, *, is_followed: Callable[[], bool] = _nobody_follows) -> None:
        """Takes no more work, finishes running work, and ends. While `is_followed` returns True it stays registered, since
        another worker takes its place.
        """
        log.info("worker_draining", worker=self.name)
        self._is_followed = is_followed
        self._stopping.set()
        self._metrics.stop()
        self._senders.stop()
        for slot in self._slots:
            slot.join()
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self.runtime.close()
        try:
            self._handover.hand_over()
            if is_followed():
                self._announce()
            else:
                withdraw(self._redis, self.name)
                forget_activity(self._redis, self.name)
        except RedisError:
            log.warning("worker_left_unsaid", worker=self.name)
        self._redis.close()
        self._tracing.close()
        runtime.install(self._runtime_before)
        log.info("worker_stopped", worker=self.name)

    def _make_slots(self) -> Iterator[Slot]:
        execution_ttl_seconds = max(1, round(_EXECUTION_SHARE * self._settings.worker_timeout))
        for queue_name, n_slots in self._slot_counts().items():
            for number in range(n_slots):
                name = f"{self.name}-{queue_name.value}-{number}"
                yield Slot(self._redis, queue_name, name, stopping=self._stopping, execution_ttl_seconds=execution_ttl_seconds)

    def _make_runtime(self, loaded: Loaded) -> Runtime:
        settings = self._settings
        ffmpeg_path = find_ffmpeg(settings.ffmpeg)
        registry = WorkerRegistry(self._redis, worker=self.name, cache_ttl=settings.cache_ttl, cache_bytes=settings.cache_bytes)
        measures = Measures()
        scheduler = Scheduler(n_threads=self._registration.n_threads, policy=settings.scheduler, measures=measures)
        return Runtime(
            redis=self._redis,
            registry=registry,
            engines=loaded.engines,
            scheduler=scheduler,
            ffmpeg_path=ffmpeg_path,
            limits=Limits(
                stream_bytes=settings.stream_bytes,
                cache_budget=Budget(
                    task_bytes=settings.keep_bytes, segment_bytes=settings.segment_bytes, segment_ttl=settings.cache_ttl
                ),
                patience_seconds=settings.max_wait,
                n_threads=self._registration.n_threads,
                max_job_seconds=settings.max_job_seconds,
            ),
            jobs=JobStore(self._redis, job_ttl=settings.job_ttl),
            store=Store(settings.store_url, reserve_bytes=settings.store_reserve),
            webhook_secret=settings.webhook_secret,
            webhook_private=settings.webhook_private,
            tracing=self._tracing,
            measures=measures,
        )

    def _slot_counts(self) -> dict[QueueName, int]:
        asked = {QueueName.INTERACTIVE: self._settings.slots, QueueName.BATCH: self._settings.batch_slots}
        return {queue_name: n_slots or _DEFAULT_SLOTS[queue_name] for queue_name, n_slots in asked.items()}

    def _wait_for_redis(self) -> None:
        while True:
            try:
                check_redis(self._redis)
                return
            except RedisError as error:
                log.warning("redis_away", error=str(error))
                time.sleep(BEAT_SECONDS)

    def _beat(self) -> None:
        """Every second: reports that this process and its tasks are alive, and requeues the tasks of dead processes."""
        while True:
            try:
                self._beat_once()
            except RedisError as error:
                self._reachable_since = self._unreachable_at = time.monotonic()
                log.warning("heartbeat_missed", error=str(error))
            except Exception as error:  # noqa: BLE001 - border of a thread: without a heartbeat the process counts as dead
                log.error("unforeseen_error", **describe(error))
            if self._stopped.wait(self._beat_seconds):
                return

    def _announce(self) -> None:
        registration_seconds = _REGISTRATION_SHARE * self._settings.worker_timeout
        registration = self._registration_now()
        lease_ids = self.runtime.lease_ids.copy()
        takes_work = self._is_followed() or not self._stopping.is_set()
        announce(self._redis, registration, registration_seconds, takes_work=takes_work, in_flight=lease_ids)
        report_activity(self._redis, self.name, self._activity(registration.vitals), registration_seconds)

    def _beat_once(self) -> None:
        self._announce()
        for slot in self._slots:
            slot.beat()
        if time.monotonic() - self._unreachable_at > self._settings.worker_timeout:
            self._take_over()
        self._count_waiting()
        share_batch_fairly(self._redis, every_seconds=BEAT_SECONDS)
        if time.monotonic() > self._sweep_at:
            self._sweep()

    def _activity(self, vitals: Vitals) -> Activity:
        return Activity(
            host=socket.gethostname(),
            pid=os.getpid(),
            vitals=vitals,
            spoken=self.runtime.synthesizer.tasks_now.view(),
        )

    def _registration_now(self) -> Registration:
        return msgspec.structs.replace(
            self._registration,
            first_sound_seconds=self.runtime.limits.pace.seconds,
            identities=self.runtime.identities(),
            vitals=read_vitals(self.runtime, self._slots),
        )

    def _read_metrics(self) -> bytes:
        """Returns the metrics of this worker alone, for its own port."""
        return show_worker(self.runtime.measures.registry, self._registration_now())

    def _hand_over(self) -> None:
        """Hands the counts over every few seconds. What fails now is handed over later."""
        while not self._stopped.wait(HANDOVER_SECONDS):
            try:
                self._handover.hand_over()
            except RedisError:
                log.debug("handover_missed")
            except Exception as error:  # noqa: BLE001 - border of a thread: later counts must still be handed over
                log.error("unforeseen_error", **describe(error))

    def _take_over(self) -> None:
        """Requeues the tasks of dead workers, and counts these workers. Not called soon after an outage of Redis: no worker
        sent heartbeats then.
        """
        for queue_name in QueueName:
            clean_registries(rq_queue(self._redis, queue_name))
        self._unstarted_tasks.put_back()
        count_deaths(self._redis)

    def _count_waiting(self) -> None:
        """Sets how many interactive tasks wait because all slots are busy."""
        is_full = all(slot.is_busy for slot in self._slots if slot.queue_name is QueueName.INTERACTIVE)
        self.runtime.limits.set_waiting(rq_queue(self._redis, QueueName.INTERACTIVE).count if is_full else 0)

    def _sweep(self) -> None:
        """Does the rarer work. Readers are removed only after every API process had time for a heartbeat."""
        if time.monotonic() - self._reachable_since > self._settings.worker_timeout:
            self.runtime.abandon_unread()
        self._sweep_at = time.monotonic() + self._settings.worker_timeout
        sweep_segment_cache(self._redis)
        return_memory()

    def _sweep_jobs(self) -> None:
        """Sweeps jobs and documents periodically, in its own thread, since the store may be slow."""
        while not self._stopped.wait(_SWEEP_SECONDS):
            try:
                self.runtime.job_runner.sweep()
                self.runtime.documents.sweep()
            except RedisError as error:
                log.warning("sweep_missed", error=str(error))
            except Exception as error:  # noqa: BLE001 - border of a thread: the other jobs must still be swept
                log.error("unforeseen_error", **describe(error))

    def _receive_cancellations(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    pubsub.subscribe(keys.CANCELLED)
                    while not self._stopped.is_set():
                        message = pubsub.get_message(timeout=BEAT_SECONDS)
                        if message is not None:
                            utterance_id, _, token = message["data"].decode().partition(":")
                            self.runtime.cancel(utterance_id, token)
            except RedisError:
                self._stopped.wait(BEAT_SECONDS)


def _warm_up(engine: Engine, n_threads: int) -> float:
    """Warms up the engine, once alone and once on all threads at the same time. Returns the expected seconds from one first
    audio to the next while many wait.

    Why on all threads: they share the memory and perhaps the cores, so each is slower than one alone. Why twice that time: the
    utterances that already play need the same threads, and then every second segment is one of theirs.
    """
    engine.warm_up()
    started = time.monotonic()
    with ThreadPoolExecutor(n_threads) as threads:
        for warmed_up in [threads.submit(engine.warm_up) for _ in range(n_threads)]:
            warmed_up.result()
    return 2 * (time.monotonic() - started) / n_threads
