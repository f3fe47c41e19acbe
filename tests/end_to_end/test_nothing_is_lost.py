"""Any process may be killed: the listener gets an intact file. Real processes and signals; each test starts with all of
them.
"""

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from redis import Redis

from app.core.queue.broker import QueueName, rq_queue
from app.core.speech.formats import FORMATS
from app.core.storage.connections import connect
from app.core.storage.embedded_server import embedded_url
from tests import replies
from tests.end_to_end import listeners
from tests.end_to_end.listeners import SPEECH
from tests.end_to_end.live.clients import audio_of, connected
from tests.end_to_end.processes import WORKER, Process, Served, events, is_alive, running, serving
from tests.engines import text_of
from tests.harness import wait_until

HASTY = {
    "KOE_ENGINE": "espeak",
    "KOE_WORKER_TIMEOUT": "2",
    "KOE_MAX_WAIT": "20",
    "KOE_CACHE_BYTES": "0",
    "KOE_SEGMENT_BYTES": "0",
}
"""The engine is espeak, since a tone is spoken before it can be interrupted. Nothing is cached for the same reason."""

LONG = text_of(40, "patient listener")


def asked(text: str, format_name: str = "mp3") -> dict[str, Any]:
    """Returns the body of a request to espeak."""
    return listeners.asked(text, format_name, model="espeak")


class Pair:
    """`koe serve` with one worker, and a second worker next to it."""

    def __init__(self, served: Served, second: Process, redis: Redis) -> None:
        self.served = served
        self.second = second
        self.dead: list[Process] = []
        self.redis = redis
        self.undisturbed: dict[str, bytes] = {}

    def listen(self, body: dict[str, Any]) -> "Heard":
        """Sends the request. Returns when the first chunk has come."""
        return Heard(self.served.url, body)

    def expect(self, format_name: str) -> bytes:
        """Returns the audio of an undisturbed run of LONG."""
        if format_name not in self.undisturbed:
            with self.listen(asked(LONG, format_name)) as heard:
                self.undisturbed[format_name] = heard.all()
        return self.undisturbed[format_name]

    def record(self) -> dict[str, str]:
        """Returns the record of the only unfinished utterance."""
        (unfinished,) = self.unfinished()
        return unfinished

    def unfinished(self) -> list[dict[str, str]]:
        """Returns the records of all unfinished utterances."""
        found = [replies.fields(self.redis, key) for key in replies.key_names(self.redis, "koe:utterance:*")]
        return [record for record in found if record.get("state") != "finished"]

    def speaker(self) -> int:
        """Returns the process id of a worker that speaks one."""
        workers = [record["worker"] for record in self.unfinished() if record.get("worker")]
        return int(workers[0].split("-")[-2])

    def workers(self) -> int:
        """Returns the number of registered workers."""
        return int(self.served.ready().get("workers", 0))


class Heard:
    """One response that is being received."""

    def __init__(self, url: str, body: dict[str, Any]) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)
        self._stream = self._http.stream("POST", SPEECH, json=body)
        self.answer = self._stream.__enter__()
        assert self.answer.status_code == 200
        self._chunks = self.answer.iter_raw()
        self.data = next(self._chunks)

    def all(self) -> bytes:
        """Reads the response to its end and returns all of it. Raises httpx.RemoteProtocolError if it is broken off."""
        for chunk in self._chunks:
            self.data += chunk
        return self.data

    def __enter__(self) -> "Heard":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stream.__exit__(None, None, None)
        self._http.close()


@pytest.fixture(scope="module")
def pair(short_folder: Path) -> Iterator[Pair]:
    data = short_folder / "pair"
    with serving(data, **HASTY) as served, connect(embedded_url(data)) as redis, running(a_worker(data)) as second:
        served.wait_ready(2)
        pair = Pair(served, second, redis)
        yield pair
        pair.second.end()


@pytest.fixture(autouse=True)
def well(pair: Pair) -> None:
    """Makes sure that both workers run before each test."""
    if not is_alive(pair.second.pid):
        pair.second.end()
        pair.dead.append(pair.second)
        pair.second = a_worker(pair.served.data)
    wait_until(lambda: pair.workers() == 2, 60)


def a_worker(data: Path) -> Process:
    log = data.with_name(f"{data.name}-{time.monotonic_ns()}.log")
    return Process(WORKER, log, KOE_DATA=str(data), KOE_SLOTS="4", KOE_LOG_FORMAT="json", **HASTY)


def logged(pair: Pair, name: str) -> list[dict[str, Any]]:
    """Returns the log entries of all its processes under this event name, ordered by time."""
    processes = (pair.served, pair.second, *pair.dead)
    return sorted((event for process in processes for event in events(process, name)), key=lambda event: event["timestamp"])


def taken_over(pair: Pair) -> list[dict[str, Any]]:
    """Returns the log entries for utterances that one worker began and another finished."""
    return [event for event in logged(pair, "utterance_finished") if event["claim"] > 1]


@pytest.mark.parametrize("format_name", ["mp3", "wav"])
def test_a_worker_killed_while_it_speaks_costs_not_a_byte(pair: Pair, format_name: str) -> None:
    expected = pair.expect(format_name)
    n_before = len(taken_over(pair))

    with pair.listen(asked(LONG, format_name)) as heard:
        killed = pair.speaker()
        os.kill(killed, signal.SIGKILL)
        assert heard.all() == expected

    assert not is_alive(killed)
    wait_until(lambda: len(taken_over(pair)) > n_before)
    last = taken_over(pair)[-1]
    # One less if the worker was killed after it cached a segment and before it counted the segment.
    assert last["n_spoken"] <= last["n_segments"] + 1, "finished segments are not spoken twice"


@pytest.mark.parametrize(("format_name", "rate_hz"), [("mp3", 44_100), ("pcm", 16_000), ("ulaw", 8000)])
def test_a_worker_killed_at_another_sample_rate_costs_not_a_byte(pair: Pair, format_name: str, rate_hz: int) -> None:
    body = asked(LONG, format_name) | {"sample_rate": rate_hz}
    with pair.listen(body) as heard:
        os.kill(pair.speaker(), signal.SIGKILL)
        audio = heard.all()
        kind = heard.answer.headers["content-type"]

    with pair.listen(body | {"input": f"{LONG} "}) as again:
        assert again.all() == audio
    assert kind == FORMATS[format_name].media_type_at(rate_hz)


def test_a_worker_killed_in_a_dialogue_costs_not_a_byte(pair: Pair) -> None:
    voices = itertools.cycle(["af_heart", "am_michael", "ff_siwis"])
    body = asked("\n".join(f"{next(voices)}: {sentence}." for sentence in LONG.split(". ")))
    with pair.listen(body) as heard:
        os.kill(pair.speaker(), signal.SIGKILL)
        audio = heard.all()

    with pair.listen(body | {"input": f"{body['input']} "}) as again:
        assert again.all() == audio


def spoken_live(pair: Pair, when_it_begins: Callable[[], None]) -> bytes:
    """Returns the audio of LONG over Cartesia's WebSocket."""
    form = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000}
    with connected(pair.served.url, "/tts/websocket") as client:
        client.send(transcript=LONG, model_id="espeak", voice={"mode": "id", "id": "alloy"}, output_format=form)
        messages = client.until("chunk")
        when_it_begins()
        return audio_of(messages + client.until("done"), "data")


def test_a_worker_killed_while_it_speaks_a_text_that_arrives_costs_not_a_byte(pair: Pair) -> None:
    expected = spoken_live(pair, lambda: None)
    n_before = len(taken_over(pair))

    assert spoken_live(pair, lambda: os.kill(pair.speaker(), signal.SIGKILL)) == expected
    wait_until(lambda: len(taken_over(pair)) > n_before)


def test_a_worker_that_hangs_and_wakes_up_does_not_disturb_its_replacement(pair: Pair) -> None:
    expected = pair.expect("mp3")

    with pair.listen(asked(LONG)) as heard:
        hung = pair.speaker()
        os.kill(hung, signal.SIGSTOP)
        wait_until(lambda: pair.record()["claim"] == "2")
        os.kill(hung, signal.SIGCONT)
        assert heard.all() == expected


def test_a_clock_that_jumps_costs_not_a_byte(pair: Pair) -> None:
    expected = pair.expect("mp3")
    running_jobs = rq_queue(pair.redis, QueueName.INTERACTIVE).started_job_registry.key

    with pair.listen(asked(LONG)) as heard:
        for name in replies.members(pair.redis, running_jobs):
            pair.redis.zadd(running_jobs, {name: 1})  # as an hour later: RQ presumes running jobs abandoned
        assert heard.all() == expected


def test_a_killed_encoder_costs_not_a_byte(pair: Pair) -> None:
    expected = pair.expect("mp3")

    with pair.listen(asked(LONG)) as heard:
        os.kill(encoder_of(pair.speaker()), signal.SIGKILL)
        assert heard.all() == expected


def test_a_queue_that_is_killed_costs_not_a_byte(pair: Pair) -> None:
    expected = pair.expect("mp3")

    with pair.listen(asked(LONG)) as heard:
        os.kill(pair.served.child("valkey"), signal.SIGKILL)
        assert heard.all() == expected


def test_a_queue_that_has_lost_everything_costs_not_a_byte(pair: Pair) -> None:
    expected = pair.expect("mp3")

    with pair.listen(asked(LONG)) as heard:
        pair.redis.flushall()
        assert heard.all() == expected


def test_a_redis_that_refuses_writes_is_a_503_and_recovers(pair: Pair) -> None:
    usual = cast("dict[str, str]", pair.redis.config_get("maxmemory*"))
    pair.redis.config_set("maxmemory-policy", "noeviction")
    pair.redis.config_set("maxmemory", 1)  # refuses writes, as with a full disk
    try:
        refused = httpx.post(f"{pair.served.url}{SPEECH}", json=asked("Is there room?"), timeout=60)
    finally:
        for name in ("maxmemory", "maxmemory-policy"):
            pair.redis.config_set(name, usual[name])

    assert refused.status_code == 503
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["error"]["code"] == "queue_storage_full"
    assert "its disk or its memory is full" in refused.json()["error"]["message"]
    wait_until(lambda: httpx.post(f"{pair.served.url}{SPEECH}", json=asked("Now there is."), timeout=60).status_code == 200)


def test_a_job_whose_workers_are_killed_is_the_same_file(pair: Pair) -> None:
    n_books = len(logged(pair, "job_completed"))
    undisturbed = finished_book(pair, lambda: None)
    wait_until(lambda: len(logged(pair, "job_completed")) == n_books + 1)

    def kill_both() -> None:
        for pid in (pair.second.pid, pair.served.child("workers --with-parent")):
            os.kill(pid, signal.SIGKILL)

    disturbed = finished_book(pair, kill_both)

    assert disturbed == undisturbed
    wait_until(lambda: len(logged(pair, "job_completed")) == n_books + 2)
    assert any(event["n_found"] for event in logged(pair, "part_spoken")), "what was spoken of a part is not spoken again"


def test_speech_for_listeners_of_a_killed_api_process_is_stopped(pair: Pair) -> None:
    endless = asked(text_of(800, "endless evening"), "wav")

    with pair.listen(endless):
        os.kill(pair.served.child("app.cli api"), signal.SIGKILL)
        wait_until(lambda: not pair.redis.keys("koe:utterance:*"), 60)

    assert not pair.redis.keys("koe:kept:*")
    wait_until(lambda: pair.served.ready().get("workers") == 2)


def test_a_client_that_never_reads_holds_neither_a_slot_nor_more_than_its_share_of_memory(pair: Pair) -> None:
    endless = asked(text_of(800, "endless evening"), "wav")

    with pair.listen(endless) as deaf:
        wait_until(lambda: pair.record()["state"] == "parked", 60)
        unread = int(pair.record()["bytes"]) - int(pair.record().get("read", 0))
        assert unread < 2 * 16 * 2**20
        assert httpx.post(f"{pair.served.url}{SPEECH}", json=asked("Room for others."), timeout=60).status_code == 200
        assert len(deaf.data) < unread

    wait_until(lambda: not pair.redis.keys("koe:utterance:*"))


def test_with_no_worker_that_comes_back_the_answer_is_broken_off(data: Path) -> None:
    alone = {**HASTY, "KOE_MAX_WAIT": "6", "KOE_REDIS_URL": ""}
    with serving(data, **alone) as served:
        os.kill(served.pid, signal.SIGSTOP)  # so that it does not start the worker again
        worker = served.child("workers --with-parent")
        with ThreadPoolExecutor(1) as clients, httpx.Client(base_url=served.url, timeout=60) as http:
            with http.stream("POST", SPEECH, json=asked(LONG, "wav")) as answer:
                chunks = answer.iter_raw()
                next(chunks)
                os.kill(worker, signal.SIGKILL)
                with pytest.raises(httpx.RemoteProtocolError):
                    clients.submit(b"".join, chunks).result()
            refused = http.post(SPEECH, json=asked("Anybody?"))
        os.kill(served.pid, signal.SIGCONT)

    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "no_worker"
    assert int(refused.headers["retry-after"]) >= 1


def finished_book(pair: Pair, disturb: Callable[[], None]) -> tuple[str, float]:
    """Returns the digest and the duration in seconds of a book that is disturbed when a third of it is spoken."""
    body = asked("\n\n".join(text_of(8, f"chapter {number}") for number in range(8)), "flac")
    with httpx.Client(base_url=pair.served.url, timeout=60) as http:
        path = http.post(f"{SPEECH}/jobs", json=body).headers["location"]

        def progress() -> dict[str, int]:
            found: dict[str, int] = http.get(path).json()["progress"]
            return found

        wait_until(lambda: progress()["segments_done"] > 20, 60)
        disturb()
        wait_until(lambda: http.get(path).json()["status"] == "completed", 60)
        return http.head(f"{path}/content").headers["etag"], http.get(path).json()["duration_seconds"]


def encoder_of(pid: int) -> int:
    """Waits until a worker has started an ffmpeg. Returns its process id."""

    def found() -> list[int]:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        return [child for child in children if "ffmpeg" in Path(f"/proc/{child}/cmdline").read_text()]

    wait_until(found)
    return found()[0]
