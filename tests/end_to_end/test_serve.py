"""The real `koe serve` as a person starts it: it greets, speaks, recovers, and leaves nothing running."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.audio import decode, sounding_seconds
from tests.end_to_end.processes import SERVE, WORKER, Process, Served, command_of, is_alive, running, serving
from tests.engines import text_of
from tests.harness import wait_until

LONG = text_of(14, "long evening")


def speak(served: Served, text: str, **more: Any) -> bytes:
    return served.openai().audio.speech.create(model="tts-1", voice="nova", input=text, **more).content


@pytest.fixture(scope="module")
def short_data(short_folder: Path) -> Path:
    return short_folder / "serve"


@pytest.fixture(scope="module")
def voices_file(short_folder: Path) -> Path:
    """Returns a file that every process reads when it starts; a test may make it invalid for a while."""
    path = short_folder / "voices.toml"
    path.touch()
    return path


@pytest.fixture(scope="module")
def served(short_data: Path, voices_file: Path) -> Iterator[Served]:
    """Yields one `koe serve` for the tests that do not change it."""
    with serving(short_data, KOE_WORKER_TIMEOUT="2", KOE_VOICES_FILE=str(voices_file)) as served:
        yield served


def test_it_greets_with_its_address_and_engine(served: Served) -> None:
    served.wait_said("Ctrl-C ends it.")

    assert f"{served.url}/v1 with tone" in served.said
    assert "koe say" in served.said


def test_it_speaks(served: Served) -> None:
    assert sounding_seconds(decode(speak(served, "Hello there."), "mp3")) > 0.5


def test_a_second_one_on_the_same_data_is_refused_by_name(served: Served, short_data: Path) -> None:
    second = Served(short_data)

    with running(second):
        assert second.wait() != 0

    assert f"Another `koe serve` uses {short_data}." in second.said
    assert "Traceback" not in second.said
    assert speak(served, "Undisturbed.")


def test_a_port_that_is_taken_is_one_clear_line(served: Served, data: Path) -> None:
    second = Served(data, KOE_PORT=str(served.port))

    with running(second):
        assert second.wait() != 0

    assert f"127.0.0.1:{served.port}" in second.said
    assert "KOE_PORT" in second.said
    assert "Traceback" not in second.said


def test_another_worker_joins_the_same_queue(served: Served, short_data: Path, tmp_path: Path) -> None:
    environ = {"KOE_ENGINE": "tone", "KOE_DATA": str(short_data), "KOE_SLOTS": "2", "KOE_WORKER_TIMEOUT": "2"}

    with running(Process([*SERVE[:-1], "worker"], tmp_path / "worker.log", **environ)):
        served.wait_ready(2)
        assert speak(served, "Two are here.")

    wait_until(lambda: served.ready()["workers"] == 1)


def test_a_worker_that_is_killed_is_started_again(served: Served) -> None:
    killed = served.child("workers --with-parent")

    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not is_alive(killed))
    wait_until(lambda: any("workers --with-parent" in command for command in commands(served)))

    served.wait_ready()
    assert speak(served, "After the worker was killed.")


def test_a_client_that_connects_while_the_api_is_dead_is_answered_once_it_is_back(served: Served) -> None:
    killed = served.child("app.cli api")

    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not is_alive(killed))
    audio = speak(served, "Said to nobody yet.")

    assert sounding_seconds(decode(audio, "mp3")) > 0.5
    assert served.child("app.cli api") != killed


def test_a_renewal_that_cannot_succeed_changes_nothing(served: Served, voices_file: Path) -> None:
    before = served.children()

    voices_file.write_text("not a voice")
    served.signal(signal.SIGHUP)
    served.wait_said("renewal_given_up")
    voices_file.write_text("")

    assert "The new worker-1 ended; the old parts stay." in served.said
    assert served.children() == before
    assert speak(served, "All the same.")


def test_a_queue_that_is_killed_is_started_again(served: Served) -> None:
    killed = served.child("valkey")

    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not is_alive(killed))

    def speaks() -> bool:
        try:
            return bool(speak(served, "After the queue was killed."))
        except (openai.APIError, httpx.HTTPError):
            return False

    wait_until(speaks)


def commands(served: Served) -> list[str]:
    """Returns the commands of the running child processes; one may end while they are listed."""
    found = []
    for pid in served.children():
        with suppress(FileNotFoundError, ProcessLookupError):
            found.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
    return found


SLOW = {"model": "tts-1", "input": text_of(7, "slow evening"), "voice": "nova", "response_format": "pcm", "speed": 0.25}
"""Gives 9 MB, more than the buffers between two processes hold, so that its reader decides when it ends."""


def test_a_renewal_loses_no_request_and_ends_before_a_sigterm(data: Path) -> None:
    with serving(data, KOE_CACHE_BYTES="0") as served, ThreadPoolExecutor(2) as clients, httpx.Client(timeout=60) as http:
        before, renewed = parts(served), threading.Event()
        streams = [clients.submit(ask_until, served, renewed, number) for number in range(2)]
        with http.stream("POST", f"{served.url}/v1/audio/speech", json=SLOW) as answer:
            chunks = answer.iter_raw()
            heard = next(chunks)
            served.signal(signal.SIGHUP)
            served.wait_said("api_listens", 2)
            assert before < parts(served)
            heard += b"".join(chunks)
        served.wait_said("renewal_finished")
        renewed.set()
        statuses = [status for stream in streams for status in stream.result()]
        undisturbed = http.post(f"{served.url}/v1/audio/speech", json=SLOW)
        after = parts(served)

        served.signal(signal.SIGHUP)
        served.wait_said("renewal_started", 2)
        wait_until(lambda: parts(served) > after)
        remaining = parts(served)
        served.signal(signal.SIGTERM)
        assert served.wait() == 0

    assert set(statuses) == {200}
    assert len(statuses) > 10
    assert undisturbed.headers["x-koe-cache"] == "miss"
    assert heard == undisturbed.content
    assert len(after) == len(before) == 2
    assert not before & after
    assert not any(map(is_alive, remaining))


def parts(served: Served) -> set[int]:
    """Returns the process ids of its workers and APIs."""
    return {pid for pid in served.children() if "--with-parent" in command_of(pid)}


def ask_until(served: Served, done: threading.Event, number: int) -> list[int]:
    """Sends requests one after the other, each on a new connection, until `done` is set. Returns their statuses."""
    statuses: list[int] = []
    while not done.wait(0.05):
        body = {"model": "tts-1", "input": f"Number {number}, {len(statuses)}.", "voice": "nova", "response_format": "pcm"}
        statuses.append(httpx.post(f"{served.url}/v1/audio/speech", json=body, timeout=60).status_code)
    return statuses


IN_TERMINAL = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # It is ignored where the tests themselves were started with `nohup`.
os.setsid()
os.dup2(os.open(sys.argv[1], os.O_RDWR), 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_it_ends_when_its_terminal_is_closed(data: Path) -> None:
    ours, its = os.openpty()
    with running(Served(data, sys.executable, "-c", IN_TERMINAL, os.ttyname(its))) as served:
        wait_until(lambda: any("app.cli api" in command for command in commands(served)))
        os.close(its)

        os.close(ours)

        assert served.wait() == 0
    assert "renewal_started" not in served.said


def test_sigterm_lets_running_speech_finish_and_ends_with_status_0(data: Path) -> None:
    with serving(data) as served, ThreadPoolExecutor(1) as clients, httpx.Client(timeout=60) as http:
        body = {"model": "tts-1", "input": LONG, "voice": "nova", "response_format": "opus", "speed": 0.25}
        with http.stream("POST", f"{served.url}/v1/audio/speech", json=body) as answer:
            chunks = answer.iter_raw()
            heard = next(chunks)
            served.signal(signal.SIGTERM)
            rest = clients.submit(b"".join, chunks)
            status = served.wait()
            heard += rest.result()

    assert status == 0
    assert len(decode(heard, "opus")) > 24_000 * 0.24 * len(LONG)


def test_killed_outright_it_leaves_no_process_and_starts_again(data: Path) -> None:
    with serving(data) as served:
        valkey = served.child("valkey")
        others = [pid for pid in served.children() if pid != valkey]
        served.signal(signal.SIGKILL)
        served.wait()
        wait_until(lambda: not any(map(is_alive, others)))

        with serving(data) as again:
            assert speak(again, "Here again.")
            assert not is_alive(valkey)
            children = again.children()
    wait_until(lambda: not any(map(is_alive, children)))


def test_when_everything_is_killed_at_once_the_same_text_is_spoken_after_all(data: Path) -> None:
    body = {"model": "tts-1", "input": LONG, "voice": "nova", "response_format": "opus", "speed": 0.25}
    with serving(data, KOE_WORKER_TIMEOUT="2") as served, httpx.Client(timeout=60) as http:
        with http.stream("POST", f"{served.url}/v1/audio/speech", json=body) as answer:
            next(answer.iter_raw())
            for pid in [served.pid, *served.children()]:
                os.kill(pid, signal.SIGKILL)

        with serving(data, KOE_WORKER_TIMEOUT="2") as again:
            spoken = http.post(f"{again.url}/v1/audio/speech", json=body)

    assert spoken.status_code == 200
    assert len(decode(spoken.content, "opus")) > 24_000 * 0.24 * len(LONG)


def test_without_kokoros_files_it_speaks_with_espeak_and_names_the_missing_files(data: Path) -> None:
    with serving(data, KOE_ENGINE="auto", HF_HUB_OFFLINE="1", HF_HOME=str(data.with_name("nothing"))) as served:
        served.wait_said("Ctrl-C ends it.")
        assert "with espeak" in served.said
        assert "koe fetch" in served.said
        assert served.ready()["engine"] == "espeak"
        assert "koe fetch" in served.ready()["notice"]
        assert 0.3 < sounding_seconds(decode(speak(served, "Hello there.", response_format="wav"), "wav")) < 3


@pytest.mark.parametrize("command", [SERVE, WORKER], ids=["serve", "worker"])
@pytest.mark.parametrize(("name", "value"), [("KOE_PROT", "8001"), ("KOE_PORT", "many"), ("KOE_ENGINE", "festival")])
def test_a_wrong_setting_is_one_clear_line(data: Path, command: list[str], name: str, value: str) -> None:
    environ = os.environ | {"KOE_DATA": str(data), name: value}

    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode != 0
    assert name in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_command_says_and_lists(served: Served, tmp_path: Path) -> None:
    koe = [sys.executable, "-m", "app.cli"]
    path = tmp_path / "hello.flac"

    said = subprocess.run(
        [*koe, "say", "Hello", "-o", str(path), "--url", served.url], capture_output=True, text=True, check=False
    )
    listed = subprocess.run([*koe, "voices", "--url", served.url], capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stderr
    assert sounding_seconds(decode(path.read_bytes(), "flac")) == pytest.approx(0.3, abs=0.01)
    assert "af_heart" in listed.stdout
