"""The faults. Each injects one kind of fault into a running Koe, and undoes only what Koe cannot repair itself."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.core.storage.connections import connect
from app.core.storage.embedded_server import embedded_url
from tests.end_to_end.processes import WORKER, Process, Served, is_alive
from tests.harness import wait_until

RETURN_SECONDS: Final = 60.0
"""A server that has not recovered after this time has failed."""


class Fleet:
    """`koe serve` with one worker, and a second worker that is restarted whenever it dies."""

    def __init__(self, data: Path, settings: dict[str, str]) -> None:
        self.data = data
        self._settings = settings
        self.served = Served(data, **settings)
        self.retired: list[Process] = []
        self.second = self._worker()

    def _worker(self) -> Process:
        log = self.data.with_name(f"{self.data.name}-{time.monotonic_ns()}.log")
        return Process(WORKER, log, KOE_DATA=str(self.data), KOE_LOG_FORMAT="json", **self._settings)

    def wait_whole(self) -> None:
        """Returns when both workers are running and the API answers."""
        if not is_alive(self.second.pid):
            self.retired.append(self.second)
            self.second = self._worker()
        wait_until(lambda: self.served.ready().get("workers") == 2, RETURN_SECONDS)

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        mine = [pid for pid in self.served.children() if _is(pid, "-m workers")]
        return [*mine, self.second.pid]

    def said(self) -> str:
        """Returns the logs of all processes."""
        return "\n".join(process.said for process in (self.served, self.second, *self.retired))

    def end(self) -> None:
        """Ends all processes."""
        self.second.end()
        self.served.end()
        for process in self.retired:
            process.end()


class FaultInjector:
    """Injects faults, in an order that its seed determines, and counts them by kind."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self._fleet = fleet
        self._random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.api_deaths: list[float] = []
        """Times at which an API was killed, by `time.monotonic`: the responses in flight are lost."""

    @property
    def kinds(self) -> dict[str, Callable[[], None]]:
        """The kinds of faults."""
        return {
            "worker_killed": self.kill_worker,
            "worker_frozen": self.freeze_worker,
            "encoder_killed": self.kill_encoder,
            "espeak_killed": self.kill_espeak,
            "queue_killed": self.kill_queue,
            "queue_refuses": self.refuse_writes,
            "api_killed": self.kill_api,
            "renewed": self.renew,
        }

    def run(self, until: Callable[[], bool], pause_seconds: tuple[float, float], kinds: Sequence[str] = ()) -> None:
        """Injects faults until `until` returns True: each of `kinds`, by default all, once a round, in a new order."""
        kinds = kinds or list(self.kinds)
        while not until():
            for kind in self._random.sample(kinds, len(kinds)):
                time.sleep(self._random.uniform(*pause_seconds))
                if until():
                    return
                self.do(kind)

    def do(self, kind: str) -> None:
        """Injects one fault and waits until the server has recovered."""
        with suppress(ProcessLookupError, FileNotFoundError):
            self.kinds[kind]()
            self.done[kind] += 1
        self._fleet.wait_whole()

    def kill_worker(self) -> None:
        """kill -9 of a worker. Waits until it has ended: a process that is still ending looks alive, and would not be
        replaced.
        """
        pid = self._random.choice(self._fleet.workers())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid), RETURN_SECONDS)

    def freeze_worker(self) -> None:
        """Stops a worker until it is presumed dead, and then lets it continue."""
        pid = self._random.choice(self._fleet.workers())
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: self._fleet.served.ready().get("workers") == 1 or not is_alive(pid), RETURN_SECONDS)
        os.kill(pid, signal.SIGCONT)

    def kill_encoder(self) -> None:
        """kill -9 of every ffmpeg of one worker."""
        for pid in _children(self._random.choice(self._fleet.workers())):
            if _is(pid, "ffmpeg"):
                os.kill(pid, signal.SIGKILL)

    def kill_espeak(self) -> None:
        """kill -9 of an espeak-ng process of a worker, preferably of one that is computing."""
        children = [pid for worker in self._fleet.workers() for pid in _children(worker) if _is(pid, "espeak/child_process")]
        if not children:
            raise ProcessLookupError
        busy = [pid for pid in children if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "R"]
        os.kill(self._random.choice(busy or children), signal.SIGKILL)

    def kill_queue(self) -> None:
        """kill -9 of the embedded Valkey."""
        os.kill(self._fleet.served.child("valkey"), signal.SIGKILL)

    def refuse_writes(self) -> None:
        """Makes the queue refuse writes for a moment, as with a full disk."""
        with connect(embedded_url(self._fleet.data)) as redis:
            redis.config_set("min-replicas-to-write", 1)
            threading.Event().wait(self._random.uniform(0.5, 2.0))
            redis.config_set("min-replicas-to-write", 0)

    def kill_api(self) -> None:
        """kill -9 of the API: only its responses in flight are lost."""
        self.api_deaths.append(time.monotonic())
        os.kill(self._fleet.served.child("app.cli api"), signal.SIGKILL)
        self.api_deaths.append(time.monotonic())

    def renew(self) -> None:
        """Sends SIGHUP: every process is replaced by a new one."""
        n_before = self._fleet.served.said.count('"renewal_finished"')
        self._fleet.served.signal(signal.SIGHUP)
        wait_until(lambda: self._fleet.served.said.count('"renewal_finished"') > n_before, RETURN_SECONDS)


def _is(pid: int, words: str) -> bool:
    try:
        return words in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return False


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found
