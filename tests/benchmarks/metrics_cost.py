"""`python -m tests.benchmarks.metrics_cost`: CPU time of the metrics: a scrape of a fleet of eight workers, and handing over.

Valkey is real; the workers are heartbeat records and full sets of counts, since only these reach a scrape. Times are CPU times
of the calling thread, so other programs do not change them much.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
from redis import Redis

from app.api.measures import Metrics, SharedView
from app.core.metrics.handover import HANDOVER_SECONDS, Handover
from app.core.metrics.samples import counts_of
from app.core.queue.fleet import RedisFleet, Registration, Vitals, announce
from app.core.speech.formats import FORMATS
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.storage import keys
from app.core.storage.connections import connect, connect_async
from app.core.storage.embedded_server import EmbeddedServer
from workers.measures import Measures, WebhookOutcome

N_WORKERS, N_SCRAPES, N_EVENTS = 8, 200, 20_000


def main() -> None:
    """Prints the figures."""
    workers = [_busy_worker() for _ in range(N_WORKERS)]
    with tempfile.TemporaryDirectory(prefix="koe-") as folder:
        server = EmbeddedServer(Path(folder))
        server.start()
        try:
            with connect(server.url) as redis:
                _measure(redis, server.url, workers)
        finally:
            server.stop()
    each = _cpu_ms(lambda: workers[0].record_synthesis("kokoro", 0.3, [2.0]), N_EVENTS)
    click.echo(f"counting one spoken segment: {1000 * each:.1f} µs")


def _measure(redis: Redis, url: str, workers: list[Measures]) -> None:
    handovers = [Handover(redis, f"host-{number}", one.registry) for number, one in enumerate(workers)]
    for number, handover in enumerate(handovers):
        announce(redis, _registration(f"host-{number}"), 600, takes_work=True)
        handover.hand_over()
    n_bytes, each = asyncio.run(_scrape(redis, url))
    click.echo(f"one scrape with {N_WORKERS} workers: {each:.1f} ms of the API, {n_bytes} bytes")

    def work_and_hand_over() -> None:
        workers[0].record_synthesis("kokoro", 0.3, [2.0])
        workers[0].record_wait("interactive", 0.004)
        workers[0].record_encoding("mp3", 0.01)
        handovers[0].hand_over()

    began_at = _cpu_of(redis)
    each = _cpu_ms(work_and_hand_over, N_SCRAPES)
    redis_ms = 1000 * (_cpu_of(redis) - began_at) / N_SCRAPES
    click.echo(
        f"one handing over: {each:.2f} ms of a worker, {redis_ms:.2f} ms of Redis; every {HANDOVER_SECONDS:g} s: ", nl=False
    )
    click.echo(f"{each / 1000 / HANDOVER_SECONDS:.3%} of a core for each worker")
    click.echo(f"nothing to hand over: {_cpu_ms(handovers[0].hand_over, N_SCRAPES):.2f} ms of a worker")
    click.echo(f"in Redis: {redis.hlen(keys.METRICS)} counts, {redis.memory_usage(keys.METRICS)} bytes; ", nl=False)
    click.echo(f"in a worker: {len(counts_of(workers[0].registry))} counts")


async def _scrape(redis: Redis, url: str) -> tuple[int, float]:
    """Returns the length of the text, and milliseconds of CPU time for one scrape."""
    async with connect_async(url) as aredis:
        metrics, view = Metrics(), SharedView(aredis, redis, RedisFleet(aredis))
        for method in ("GET", "POST"):
            metrics.count_answer(method, "/v1/audio/speech", 200)
        text = metrics.render(await view.now())
        began_at = time.thread_time()
        for _ in range(N_SCRAPES):
            text = metrics.render(await view.now())
        return len(text), 1000 * (time.thread_time() - began_at) / N_SCRAPES


def _busy_worker() -> Measures:
    """A worker in which everything has happened."""
    measures = Measures()
    for engine in ("kokoro", "espeak"):
        measures.record_synthesis(engine, 0.3, [2.0, 3.0])
    for lane in ("interactive", "batch"):
        measures.record_wait(lane, 0.004)
    for name in FORMATS:
        measures.record_encoding(name, 0.01)
    for outcome in WebhookOutcome:
        measures.count_webhook(outcome)
    measures.count_segment_hit()
    measures.count_retry()
    measures.record_job(100)
    return measures


def _registration(name: str) -> Registration:
    vitals = Vitals(n_busy_slots=20, n_busy_threads=2, memory_bytes=2 * 10**9, loaded={"kokoro": True, "espeak": True})
    engines = ("kokoro", "espeak")
    return Registration(name=name, engines=engines, n_slots=34, n_threads=2, vitals=vitals, wire=WIRE_VERSION)


def _cpu_ms(step: Callable[[], object], n_times: int) -> float:
    """Returns the mean CPU time of a call in this thread, in milliseconds."""
    began_at = time.thread_time()
    for _ in range(n_times):
        step()
    return 1000 * (time.thread_time() - began_at) / n_times


def _cpu_of(redis: Redis) -> float:
    """Returns the CPU time of the server so far, in seconds."""
    found = redis.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


if __name__ == "__main__":
    main()
