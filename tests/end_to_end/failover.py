"""Kills a primary while streams are open: `python -m tests.end_to_end.failover 50` prints what its listeners noticed.

Why the API and the worker are separate processes: in one process with a hundred listeners, each would wait for the others.
"""

import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from multiprocessing import get_context
from pathlib import Path

import httpx

from app.core.settings import read_settings
from app.core.storage.connections import connect
from tests.end_to_end.listeners import SPEECH, asked
from tests.end_to_end.processes import API, Process, running
from tests.engines import name_of, text_of
from tests.harness import free_port, wait_until
from tests.valkeys import ReplicatedValkey, replicated_valkey
from workers.engines.base import ALONE, Segment, Turn, Waveform
from workers.engines.registry import Loaded
from workers.engines.tone import ToneEngine
from workers.process.pool import Pool

JOBS = "/v1/audio/speech/jobs"
_SEGMENT_SECONDS = 0.25
_N_SEGMENTS = 24


class PacedEngine(ToneEngine):
    """A tone engine that takes a fixed time for each segment, and no processor."""

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        time.sleep(_SEGMENT_SECONDS)
        return super().synthesize(segments, turn)


@dataclass
class Outcome:
    """The results of all requests and jobs."""

    audio: dict[str, bytes] = field(default_factory=dict)
    """Complete responses by text."""
    failures: list[str] = field(default_factory=list)
    n_refused: int = 0
    """Number of 503 responses to new requests during the failover, each of which was repeated."""
    longest_pause_seconds: float = 0.0
    failover_seconds: float = 0.0
    n_failovers: int = 0
    """Number of failovers; 1 unless the machine was too busy for its sentinels."""
    jobs: list[str] = field(default_factory=list)
    """Final status of each job."""
    repeated: dict[str, bytes] = field(default_factory=dict)
    """Responses to the same texts, requested again after everything else."""


def fail_over(folder: Path, n_streams: int, *, down_after_ms: int = 500) -> Outcome:
    """Kills the primary when all streams are open, and opens as many more meanwhile. `down_after_ms` is the setting of the
    sentinels: on a busy machine, a short time lets them presume a live primary dead.
    """
    outcome = Outcome()
    environ = {
        "KOE_DATA": str(folder / "data"),
        "KOE_PORT": str(free_port()),
        "KOE_THREADS": "32",
        "KOE_SLOTS": str(2 * n_streams + 4),
        "KOE_SEGMENT_BYTES": "0",
        "KOE_CACHE_BYTES": "0",
    }
    with replicated_valkey(folder, down_after_ms=down_after_ms) as trio:
        environ["KOE_REDIS_URL"] = trio.url
        api = Process(API, folder / "api.log", **environ)
        with _working(environ), running(api), connect(trio.url) as redis:
            wait_until(lambda: redis.zcard("koe:workers"))
            api.wait_said("api_listens")
            _run(f"http://127.0.0.1:{environ['KOE_PORT']}", n_streams, outcome, trio)
        outcome.n_failovers = (trio.sentinels[0].folder / "log").read_text().count("+switch-master")
    return outcome


@contextmanager
def _working(environ: dict[str, str]) -> Iterator[None]:
    """Runs a worker until the end of the block."""
    worker = get_context("spawn").Process(target=_work, args=(environ,))
    worker.start()
    try:
        yield
    finally:
        worker.terminate()
        worker.join()


def _work(environ: dict[str, str]) -> None:
    """Runs one worker until SIGTERM."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    pool = Pool(read_settings(environ), environ["KOE_REDIS_URL"], Loaded({"tone": PacedEngine()}))
    pool.warm_up()
    pool.start()
    ending.wait()
    pool.stop()


def _run(url: str, n_streams: int, outcome: Outcome, trio: ReplicatedValkey) -> None:
    texts = [text_of(_N_SEGMENTS, f"river {name_of(number)}") for number in range(n_streams)]
    late = [text_of(4, f"lake {name_of(number)}") for number in range(n_streams)]
    have_begun = threading.Semaphore(0)
    with ThreadPoolExecutor(2 * n_streams + 1) as threads, httpx.Client(base_url=url, timeout=120) as http:
        jobs = [http.post(JOBS, json=asked(text_of(8, "book"))).json()["id"] for _ in range(2)]
        first = [threads.submit(_listen, url, text, outcome, have_begun) for text in texts]
        for _ in first:
            have_begun.acquire()
        killing = threads.submit(_kill, trio, outcome)
        second = [threads.submit(_listen, url, text, outcome, have_begun) for text in late]
        for done in (*first, *second, killing):
            done.result()
        for job_id in jobs:
            wait_until(lambda job_id=job_id: _status(http, job_id) not in ("queued", "in_progress"), 120)  # type: ignore[misc]
            outcome.jobs.append(_status(http, job_id))
        outcome.repeated = dict(zip(texts, threads.map(lambda text: _ask(url, text), texts), strict=True))


def _status(http: httpx.Client, job_id: str) -> str:
    answer = http.get(f"{JOBS}/{job_id}")
    return str(answer.json()["status"]) if answer.status_code == HTTPStatus.OK else f"{answer.status_code}"


def _ask(url: str, text: str) -> bytes:
    return httpx.post(url + SPEECH, json=asked(text), timeout=120).content


def _listen(url: str, text: str, outcome: Outcome, have_begun: threading.Semaphore) -> None:
    """Repeats the request until a response begins, as the official client does, and reads it to its end."""
    heard, last = b"", time.monotonic()
    try:
        while True:
            with httpx.stream("POST", url + SPEECH, json=asked(text), timeout=120) as answer:
                if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                    outcome.n_refused += 1
                    time.sleep(0.5)
                    continue
                answer.raise_for_status()
                for number, chunk in enumerate(answer.iter_raw()):
                    if number:
                        outcome.longest_pause_seconds = max(outcome.longest_pause_seconds, time.monotonic() - last)
                    else:
                        have_begun.release()
                    last = time.monotonic()
                    heard += chunk
                break
        outcome.audio[text] = heard
    except httpx.HTTPError as error:
        outcome.failures.append(f"{type(error).__name__}: {error} after {len(heard)} bytes")
        have_begun.release()


def _kill(trio: ReplicatedValkey, outcome: Outcome) -> None:
    started = time.monotonic()
    first = trio.primary
    first.kill()
    wait_until(lambda: trio.sentinels[0].primary() != first.port)
    outcome.failover_seconds = time.monotonic() - started


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="koe-") as name:
        found = fail_over(Path(name), int(sys.argv[1]), down_after_ms=3000)
    changed = sum(found.audio.get(text) != sound for text, sound in found.repeated.items())
    lines = [
        f"{len(found.repeated)} streams, as many late; failed {len(found.failures)}; changed {changed}; jobs {found.jobs}",
        f"503 meanwhile {found.n_refused}; failovers {found.n_failovers}; new primary after {found.failover_seconds:.1f} s",
        f"longest pause {found.longest_pause_seconds:.1f} s",
        *found.failures,
    ]
    sys.stdout.write("\n".join([*lines, ""]))
