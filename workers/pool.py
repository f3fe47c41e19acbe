"""One process: its slots, its heartbeat, its shutdown."""

import os
import secrets
import socket
import threading
import time
from typing import Final

import structlog
from redis.exceptions import RedisError
from rq.registry import clean_registries

from app.core import keys
from app.core.broker import Lane, lane_queue
from app.core.connections import connect
from app.core.fleet import WorkerCard, announce, withdraw
from app.core.ledger import WorkerLedger
from app.core.settings import Settings
from workers import runtime
from workers.encoder import find_ffmpeg
from workers.engines.registry import Loaded
from workers.runtime import Runtime
from workers.scheduler import Scheduler
from workers.slot import Slot

log: Final = structlog.get_logger()

BEAT_SECONDS: Final = 1.0
_DEFAULT_SLOTS: Final = {Lane.INTERACTIVE: 32, Lane.BATCH: 2}


class Pool:
    """A worker: its engines are loaded, `warm_up` readies it, and `start` makes it known and has it take work until `stop`."""

    def __init__(self, settings: Settings, redis_url: str, loaded: Loaded) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        self._settings = settings
        self._redis = connect(redis_url)
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._slots = [
            Slot(
                self._redis,
                lane,
                f"{self.name}-{lane.value}-{number}",
                stopping=self._stopping,
                execution_ttl_seconds=max(1, round(settings.worker_timeout)),
            )
            for lane, n_slots in self._slot_counts().items()
            for number in range(n_slots)
        ]
        self._card = WorkerCard(
            name=self.name,
            engines=tuple(loaded.engines),
            missing=loaded.missing,
            n_slots=len(self._slots),
            started_at=time.time(),
        )
        ffmpeg_path = find_ffmpeg(settings.ffmpeg)
        ledger = WorkerLedger(self._redis, worker=self.name, cache_ttl=settings.cache_ttl, cache_bytes=settings.cache_bytes)
        scheduler = Scheduler(n_threads=settings.threads or n_cores(), policy=settings.scheduler)
        self.runtime = Runtime(
            redis=self._redis, ledger=ledger, engines=loaded.engines, scheduler=scheduler, ffmpeg_path=ffmpeg_path
        )
        self._threads = [
            threading.Thread(target=self._beat, name="heartbeat", daemon=True),
            threading.Thread(target=self._hear_gone, name="gone", daemon=True),
        ]

    def warm_up(self) -> None:
        """Warms the engines up and waits for Redis, as long as it takes. Nothing is lost when it is ended meanwhile."""
        for engine in self.runtime.engines.values():
            engine.warm_up()
        self._wait_for_redis()

    def start(self) -> None:
        """Makes the worker known and takes work."""
        runtime.install(self.runtime)
        for thread in self._threads:
            thread.start()
        for slot in self._slots:
            slot.start()
        log.info("worker_started", worker=self.name, engines=self._card.engines, n_slots=len(self._slots))

    def stop(self) -> None:
        """Takes no more work, lets what is running finish, and ends."""
        log.info("worker_draining", worker=self.name)
        self._stopping.set()
        for slot in self._slots:
            slot.join()
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self.runtime.close()
        try:
            withdraw(self._redis, self.name)
        except RedisError:
            log.warning("worker_left_unsaid", worker=self.name)
        self._redis.close()
        runtime.install(None)
        log.info("worker_stopped", worker=self.name)

    def _slot_counts(self) -> dict[Lane, int]:
        asked = {Lane.INTERACTIVE: self._settings.slots, Lane.BATCH: self._settings.batch_slots}
        return {lane: n_slots or _DEFAULT_SLOTS[lane] for lane, n_slots in asked.items()}

    def _wait_for_redis(self) -> None:
        while True:
            try:
                self._redis.ping()
                return
            except RedisError as error:
                log.warning("redis_away", error=str(error))
                time.sleep(BEAT_SECONDS)

    def _beat(self) -> None:
        """Every second: this process lives, these jobs run, and jobs whose process does not live are given up."""
        while True:
            try:
                self._beat_once()
            except RedisError as error:
                log.warning("heartbeat_missed", error=str(error))
            if self._stopped.wait(BEAT_SECONDS):
                return

    def _beat_once(self) -> None:
        announce(self._redis, self._card, self._settings.worker_timeout, takes_work=not self._stopping.is_set())
        for slot in self._slots:
            slot.beat()
        for lane in Lane:
            clean_registries(lane_queue(self._redis, lane))

    def _hear_gone(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]
                    pubsub.subscribe(keys.GONE)
                    while not self._stopped.is_set():
                        message = pubsub.get_message(timeout=BEAT_SECONDS)
                        if message is not None:
                            utterance_id, _, token = message["data"].decode().partition(":")
                            self.runtime.cancel(utterance_id, token)
            except RedisError:
                self._stopped.wait(BEAT_SECONDS)


def n_cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
