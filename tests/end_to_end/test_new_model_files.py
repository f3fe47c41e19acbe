"""Kokoro's files appear or are replaced while `koe serve` runs: it speaks with the new files, and no request fails."""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.checkpoints import make_checkpoint
from tests.end_to_end.processes import SERVE, WORKER, Process, Served, command_of, running, serving
from tests.harness import wait_until

pytestmark = pytest.mark.timeout(1000)

PATIENT = {"KOE_WORKER_TIMEOUT": "60", "KOE_MAX_WAIT": "300"}
"""A worker that loads Kokoro on a busy machine slows the other worker down for a while; this is not tested here."""

WEIGHTS = "kokoro-v1_0.pth"
WEIGHTS_8BIT = "kokoro-v1_0.8-bit.pth"


def bring(checkpoint: Path, folder: Path, weights: str = WEIGHTS) -> None:
    """Writes the files one after the other; `weights` is the name of the weights' file."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(checkpoint / "voices", folder / "voices", dirs_exist_ok=True)
    shutil.copy(checkpoint / "config.json", folder)
    shutil.copy(checkpoint / WEIGHTS, folder / weights)


def speaks_with(served: Served, engine: str, weights: str | None) -> bool:
    now = served.ready()
    return (now.get("engine"), now.get("weights"), now.get("workers")) == (engine, weights, 1)


@contextmanager
def asking(served: Served) -> Iterator[list[str]]:
    """Sends requests again and again during the block. At its end the yielded list has the failures."""
    done, faults = threading.Event(), list[str]()

    def ask_until_done(client: int) -> None:
        n_asked = 0
        while not done.wait(0.5):
            n_asked += 1
            body = {"model": "tts-1", "input": f"{client}, {n_asked}.", "voice": "af_heart", "response_format": "pcm"}
            answer = httpx.post(f"{served.url}/v1/audio/speech", json=body, timeout=400)
            if answer.status_code != httpx.codes.OK or not answer.content:
                faults.append(answer.text)

    clients = [threading.Thread(target=ask_until_done, args=[number]) for number in range(2)]
    for client in clients:
        client.start()
    try:
        yield faults
    finally:
        done.set()
        for client in clients:
            client.join()


def workers(served: Served) -> set[int]:
    return {pid for pid in served.children() if "workers --with-parent" in command_of(pid)}


def test_files_that_come_and_are_replaced_speak_without_a_restart(checkpoint: Path, tmp_path: Path, data: Path) -> None:
    model = tmp_path / "model"
    with serving(data, KOE_ENGINE="auto", KOE_MODEL_DIR=str(model), **PATIENT) as served:
        assert speaks_with(served, "espeak", None)
        api = served.child("app.cli api")
        with asking(served) as faults:
            bring(checkpoint, model, WEIGHTS_8BIT)
            wait_until(lambda: speaks_with(served, "kokoro", "8-bit"), 400)
            bring(make_checkpoint(tmp_path / "other", seed=1), model)
            wait_until(lambda: speaks_with(served, "kokoro", "original"), 400)
        served.wait_said("with kokoro (original weights)")

        assert not faults
        assert served.said.count("renewal_finished") == 2
        assert served.child("app.cli api") == api


def test_files_that_cannot_be_loaded_leave_the_old_workers(checkpoint: Path, tmp_path: Path, data: Path) -> None:
    model = tmp_path / "model"
    bring(checkpoint, model)
    with serving(data, KOE_ENGINE="auto", KOE_MODEL_DIR=str(model)) as served:
        before = workers(served)

        (model / WEIGHTS).write_bytes(b"not a checkpoint")
        served.wait_said("renewal_given_up")
        wait_until(lambda: workers(served) == before, 120)

        assert "cannot use Kokoro's files; the old parts stay." in served.said
        assert speaks_with(served, "kokoro", "original")


def test_a_separate_worker_logs_the_remedy(checkpoint: Path, tmp_path: Path, data: Path, short_folder: Path) -> None:
    model = tmp_path / "model"
    with serving(data) as served:
        environ = {"KOE_ENGINE": "auto", "KOE_MODEL_DIR": str(model), "KOE_DATA": str(data), "KOE_SLOTS": "2"}
        with running(Process(WORKER, tmp_path / "worker.log", **environ)) as worker:
            served.wait_ready(2)
            bring(checkpoint, model)
            worker.wait_said("Restart this worker")


COLOUR = re.compile(r"\x1b\[[\d;]*m")

ON_TERMINAL = """
import os, sys
os.setsid()
for number in range(3):
    os.dup2(os.open(sys.argv[1], os.O_RDWR), number)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_on_a_terminal_the_fetch_is_offered_and_a_no_is_taken(tmp_path: Path, data: Path) -> None:
    ours, its = os.openpty()
    environ = {"KOE_ENGINE": "auto", "KOE_MODEL_DIR": str(tmp_path / "nothing"), "KOE_DATA": str(data), "KOE_PORT": "0"}
    os.set_blocking(ours, False)
    seen = ""

    def has_shown(words: str) -> bool:
        nonlocal seen
        with suppress(BlockingIOError):
            seen += COLOUR.sub("", os.read(ours, 65_536).decode())
        return words in seen

    command = [SERVE[0], "-c", ON_TERMINAL, os.ttyname(its), *SERVE]
    with running(Process(command, tmp_path / "serve.log", **environ)):
        wait_until(lambda: has_shown("[Y/n]"), 60)
        os.write(ours, b"n\n")
        wait_until(lambda: has_shown("Ctrl-C ends it."), 60)

    assert "with espeak" in seen
    assert "gets Kokoro's voice, while this runs" in seen
    for number in (ours, its):
        os.close(number)
