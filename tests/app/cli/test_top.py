"""`koe top`: what it shows of a real Valkey and real workers, and what it says when they are away."""

import json
import logging
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from app.access.keyring import make_key
from app.cli.commands import koe
from app.core.queue.fleet import Registration, no_worker
from app.core.storage import keys
from tests.engines import GatedEngine, text_of
from tests.harness import Harness, free_port, open_harness, wait_until
from tests.valkeys import serving

Run = Callable[..., Result]
SECRET_WORD = "birch"
"""A word of each text that is spoken here; it must not be shown."""


@pytest.fixture(scope="module")
def key_and_file() -> Iterator[tuple[str, Path]]:
    key, entry = make_key("kitchen")
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(entry)
        file.flush()
        yield key, Path(file.name)


@pytest.fixture(scope="module")
def gate() -> GatedEngine:
    return GatedEngine()


@pytest.fixture(scope="module")
def busy(short_folder: Path, gate: GatedEngine, key_and_file: tuple[str, Path]) -> Iterator[Harness]:
    """A harness whose one slot speaks a text of four segments, with one of them done, while another request waits."""
    key, file = key_and_file
    environ = {
        "KOE_API_KEYS_FILE": str(file),
        "KOE_SLOTS": "1",
        "KOE_BATCH_SLOTS": "1",
        "KOE_THREADS": "1",
        "KOE_MAX_WAIT": "600",
    }
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"tone": gate}, **environ) as harness:
        threads = [threading.Thread(target=ask, args=(harness, key, text)) for text in (text_of(4), text_of(3, "birch oar"))]
        threads[0].start()
        gate.wait_begun(1)
        gate.release()
        gate.wait_begun(2)
        threads[1].start()
        wait_until(lambda: has_spoken(harness) and n_waiting(harness) == 1)
        yield harness
        gate.release(1000)
        for thread in threads:
            thread.join()


def ask(harness: Harness, key: str, text: str) -> None:
    body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "wav"}
    with harness.http() as http:
        http.post("/v1/audio/speech", json=body, headers={"authorization": f"Bearer {key}"}).raise_for_status()


def has_spoken(harness: Harness) -> bool:
    with harness.redis() as redis:
        return any(b'"seconds":0.0,' not in raw and b'"spoken":[{' in raw for raw in activities(redis))


def activities(redis: Any) -> list[bytes]:
    return [redis.get(name) or b"" for name in redis.scan_iter(keys.activity("*"))]


def n_waiting(harness: Harness) -> int:
    with harness.redis() as redis:
        return sum(redis.llen(name) for name in redis.scan_iter("rq:queue:interactive*"))


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs `koe top` in this process, and restores the logging afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def invoke(redis_url: str, *options: str, **environ: str) -> Result:
        return CliRunner().invoke(koe, ["top", *options], env={"KOE_REDIS_URL": redis_url, "COLUMNS": "200"} | environ)

    yield invoke
    root.handlers[:] = handlers
    root.setLevel(level)


def test_it_shows_what_is_spoken_who_speaks_and_who_waits(run: Run, busy: Harness, key_and_file: tuple[str, Path]) -> None:
    result = run(busy.redis_url, "--once", KOE_API_KEYS_FILE=str(key_and_file[1]))

    assert result.exit_code == 0
    assert "1 worker, 1 of 2 slots busy" in result.output
    assert re.search(r"^interactive +1 +[\d.:]+", result.output, re.MULTILINE)
    assert re.search(r"^batch +0 +-$", result.output, re.MULTILINE)
    assert re.search(
        r"^[0-9a-f]{12} +kitchen +interactive +\S+ +wav +\d+\.\d s +\d+ s +[\d.]+ s? +\S+", result.output, re.MULTILINE
    )
    assert re.search(rf" {os.getpid()} +tone +1 +2 +\d+ MiB +\d+\.\d s +[\d.:]+ s? +speaking", result.output)
    assert SECRET_WORD not in result.output


def test_the_json_has_the_same_and_no_text(run: Run, busy: Harness, key_and_file: tuple[str, Path]) -> None:
    result = run(busy.redis_url, "--json", KOE_API_KEYS_FILE=str(key_and_file[1]))

    shown = json.loads(result.output)
    assert set(shown) == {
        *("queues", "n_waiting_for_first_audio", "oldest_first_audio_seconds", "n_paused", "n_open_jobs", "spoken", "workers")
    }
    (one,), (worker,) = shown["spoken"], shown["workers"]
    assert one["key"] == "kitchen"
    assert one["worker"] == worker["name"]
    assert 0 < one["seconds"] < one["whole_seconds"]
    assert one["n_characters"] == len(text_of(4))
    assert worker["pid"] == os.getpid()
    assert (worker["n_busy"], worker["n_slots"], worker["engines"], worker["state"]) == (1, 2, ["tone"], "speaking")
    assert worker["memory_bytes"] > 10**6
    assert [queue["n_waiting"] for queue in shown["queues"]] == [1, 0]
    assert shown["queues"][0]["oldest_seconds"] >= 0
    assert shown["queues"][1]["oldest_seconds"] is None
    assert shown["n_waiting_for_first_audio"] == 1
    assert shown["oldest_first_audio_seconds"] >= 0
    assert SECRET_WORD not in result.output


def test_nothing_that_workers_report_has_the_text(busy: Harness) -> None:
    with busy.redis() as redis:
        assert [raw for raw in activities(redis) if SECRET_WORD.encode() in raw] == []


def test_a_key_that_this_machine_does_not_know_is_shown_by_its_digits(run: Run, busy: Harness) -> None:
    (one,) = json.loads(run(busy.redis_url, "--json").output)["spoken"]

    assert re.fullmatch("[0-9a-f]{16}", one["key"])


def test_without_workers_it_says_so(run: Run, redis_url: str) -> None:
    result = run(redis_url, "--once")

    assert result.exit_code == 0
    assert no_worker().message in result.output
    assert "Spoken now: 0" in result.output


def test_without_a_queue_it_says_so_in_one_line(run: Run) -> None:
    result = run(f"redis://:secret@127.0.0.1:{free_port()}", "--once")

    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: No queue answers at redis://")
    assert "koe serve` starts one" in line
    assert "secret" not in line


def test_it_finds_the_queue_of_a_server_with_the_same_data_folder(run: Run, busy: Harness) -> None:
    result = run("", "--json", KOE_DATA=str(busy.settings.data))

    assert len(json.loads(result.output)["workers"]) == 1


def test_it_shows_workers_that_are_away_drain_or_have_another_version(run: Run, busy: Harness, tmp_path: Path) -> None:
    with busy.redis() as redis, serving(tmp_path) as other, other.redis() as copy:
        (worker,) = redis.zrange(keys.WORKERS, 0, -1)
        name = worker.decode()
        card, activity = redis.get(keys.worker(name)), redis.get(keys.activity(name))
        registration = msgspec.json.decode(card, type=Registration)
        now = copy.time()[0]
        for state, wire in (("draining", registration.wire), ("old", 1), ("gone", None)):
            copy.zadd(keys.ACTIVITIES, {f"{state}-7-ab": now})
            if wire is not None:
                copy.set(keys.activity(f"{state}-7-ab"), activity)
                changed = msgspec.structs.replace(registration, name=f"{state}-7-ab", wire=wire)
                copy.set(keys.worker(f"{state}-7-ab"), msgspec.json.encode(changed))
        copy.zadd(keys.WORKERS, {"old-7-ab": now, "gone-7-ab": now})

        shown = json.loads(run(other.url, "--json").output)["workers"]
        drawn = run(other.url, "--once").output

    assert {one["name"]: one["state"] for one in shown} == {
        "draining-7-ab": "draining",
        "old-7-ab": "other version",
        "gone-7-ab": "away",
    }
    assert next((one["host"], one["pid"]) for one in shown if one["state"] == "away") == ("gone", 7)
    assert re.search(r"^gone +7 +- +- +- +- .*away", drawn, re.MULTILINE)


def test_on_a_terminal_it_refreshes_until_ctrl_c_and_waits_for_a_queue_that_goes_away(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        ours, theirs = pty.openpty()
        environ = os.environ | {"KOE_REDIS_URL": server.url, "TERM": "xterm", "COLUMNS": "150", "LINES": "40"}
        command = [sys.executable, "-m", "app.cli", "top", "--every", "0.2"]
        # What starts the tests in the background ignores Ctrl-C, and so would the command.
        restore = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen(
            command,
            env=environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=restore,  # noqa: PLW1509 - `signal` takes no lock that a thread may hold
        )
        os.close(theirs)
        read_until(ours, b"No worker is running")
        read_until(ours, b"No worker is running")
        server.kill()
        read_until(ours, b"No queue answers at")
        process.send_signal(signal.SIGINT)
        with suppress(OSError):  # at its end; what nobody reads would block it
            while os.read(ours, 65_536):
                pass
        assert process.wait(30) == 0
        os.close(ours)


def read_until(terminal: int, awaited: bytes) -> None:
    """Reads from the terminal until the words come; the test's own time limit ends it otherwise."""
    seen = b""
    while awaited not in seen:
        seen += os.read(terminal, 65_536)
