"""`koe jobs`: each of its commands, also over connections that break. The tests do the workers' part of a job themselves."""

import json
import logging
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from app.cli import job_client
from app.cli.client import Server, ServerError
from app.cli.commands import koe
from app.cli.job_watching import show_progress
from app.core.errors import EngineFailed
from app.core.jobs.files import Store, file_path, words_path
from app.core.jobs.job import File, Part
from app.core.jobs.job_store import JobStore
from app.core.queue.fleet import Registration, announce
from app.core.speech.captions import write_captions
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.speech.word_times import TimedWord
from app.core.storage import keys
from tests.harness import Harness, open_harness

SOUND = bytes(range(256)) * 4000
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def harness(short_folder: Path) -> Iterator[Harness]:
    """A harness that seems to have a worker."""
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {}) as harness:
        with harness.redis() as redis:
            announce(redis, Registration(name="w", engines=("tone",), wire=WIRE_VERSION), 3600, takes_work=True)
        yield harness


@pytest.fixture
def run(harness: Harness) -> Iterator[Run]:
    """Runs `koe jobs` in this process, and restores the logging afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def invoke(*arguments: str | Path, given: str | bytes | None = None, url: str = "") -> Result:
        words = ["jobs", *map(str, arguments), "--url", url or harness.url]
        return CliRunner().invoke(koe, words, input=given, env={"COLUMNS": "200"})

    yield invoke
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def workers(job_store: JobStore, store: Store) -> Iterator[None]:
    """Completes every job in a thread; a job with the text `Fail.` fails."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(0.01):
            for job_id in job_store.unfinished(created_before=time.time() + 1):
                end(job_store, store, job_id)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    is_over.set()
    thread.join()


def end(job_store: JobStore, store: Store, job_id: str) -> None:
    text, job = job_store.text(job_id), job_store.load(job_id)
    assert job is not None
    job_store.begin(job_id)
    job_store.plan(job_id, [Part(start=0, end=len(text), n_segments=2)])
    if text == "Fail.":
        job_store.fail(job_id, EngineFailed("It broke."))
        return
    job_store.part_done(job_id, 1, n_segments=2, audio_seconds=3725.0, n_bytes=1, loudness_db=None)
    name = f"speech.{job.utterance.format}"
    with store.put(file_path(job_id, name)) as file:
        file.write(SOUND)
    job_store.complete(job_id, File(name=name, n_bytes=len(SOUND), etag="5f", seconds=3725.0))


def the_line(result: Result) -> str:
    """Returns the one line of an error; the harness logs in this process too."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


def submitted(run: Run, text: str = "Hello.", *options: str) -> str:
    result = run("submit", "-", *options, given=text)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


class Cutter:
    """A proxy for the harness. It breaks the first connections, each after a number of bytes from `cuts`."""

    def __init__(self, harness: Harness, cuts: list[int], on_request: Callable[[int], None]) -> None:
        host, _, port = harness.url.removeprefix("http://").partition(":")
        self._harness = (host, int(port))
        self._cuts = cuts
        self._on_request = on_request
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, socket.create_connection(self._harness) as server:
                    self.requests.append(client.recv(65_536))
                    self._on_request(len(self.requests))
                    server.sendall(self.requests[-1])
                    self._answer(client, server, self._cuts.pop(0) if self._cuts else 10**9)

    @staticmethod
    def _answer(client: socket.socket, server: socket.socket, n_left: int) -> None:
        client.settimeout(0.01)
        server.settimeout(0.01)
        with suppress(OSError):
            while n_left > 0:
                with suppress(TimeoutError):
                    data = server.recv(min(n_left, 65_536))
                    if not data:
                        return
                    n_left -= len(data)
                    client.settimeout(None)
                    client.sendall(data)
                    client.settimeout(0.01)
                with suppress(TimeoutError):
                    if not client.recv(1):
                        return


@pytest.fixture
def cutter(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Cutter]]:
    monkeypatch.setattr(job_client, "_AGAIN_SECONDS", 0.01)
    made: list[Cutter] = []

    def make(cuts: list[int], on_request: Callable[[int], None] = lambda _: None) -> Cutter:
        made.append(Cutter(harness, cuts, on_request))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_job_is_submitted_shown_listed_cancelled_and_deleted(run: Run) -> None:
    job_id = submitted(run, "Hello.", "--title", "My book", "--voice", "af_heart", "--speed", "1.5", "--format", "flac")
    assert re.fullmatch("job_[0-9a-f]{24}", job_id)
    job = json.loads(run("show", job_id).stdout)
    assert (job["status"], job["title"], job["voice"], job["response_format"]) == ("queued", "My book", "af_heart", "flac")
    (row,) = [line for line in run("list").stdout.splitlines() if job_id in line]
    assert "queued" in row
    assert "My book" in row
    assert run("cancel", job_id).stdout == "cancelled\n"
    assert "cancelled" in the_line(run("watch", job_id))
    assert "409" in the_line(run("download", job_id))
    assert run("delete", job_id).exit_code == 0
    assert job_id in the_line(run("show", job_id))


@pytest.mark.usefixtures("workers")
def test_a_text_is_watched_and_its_file_fetched_under_its_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_bytes("\ufeffSchöne Worte.".encode())
    result = run("submit", "book.txt", "--watch")
    assert result.exit_code == 0, result.output
    assert "book.mp3: 1:02:05 of speech" in result.stderr
    assert "completed" in result.stderr
    assert Path("book.mp3").read_bytes() == SOUND
    assert {path.name for path in tmp_path.iterdir()} == {"book.txt", "book.mp3"}


@pytest.mark.usefixtures("workers")
def test_a_file_to_write_is_waited_for_and_decides_the_format(run: Run, tmp_path: Path) -> None:
    job_id = submitted(run, "Hello.", "-o", str(tmp_path / "out.wav"))
    assert (tmp_path / "out.wav").read_bytes() == SOUND
    assert json.loads(run("show", job_id).stdout)["response_format"] == "wav"
    (row,) = [line for line in run("list", "--limit", "1").stdout.splitlines() if job_id in line]
    assert "2/2" in row
    assert "1:02:05" in row


def test_a_file_that_cannot_be_written_is_reported_before_a_job_is_created(run: Run, tmp_path: Path) -> None:
    before = run("list").stdout

    assert "does not exist" in the_line(run("submit", "-", "-o", str(tmp_path / "none" / "out.wav"), given="Hello."))

    assert run("list").stdout == before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_another_encoding_of_unicode_is_read(run: Run, job_store: JobStore, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "book.txt").write_bytes("Schöne Worte.".encode(encoding))

    result = run("submit", str(tmp_path / "book.txt"))

    assert result.exit_code == 0, result.output
    assert job_store.text(result.stdout.strip()) == "Schöne Worte."


@pytest.mark.parametrize(
    ("status", "done", "total", "shown"),
    [
        ("queued", 0, 0, ("queued", None)),
        ("in_progress", 0, 0, ("in_progress", None)),
        ("in_progress", 3, 7, ("in_progress", 7)),
        ("in_progress", 7, 7, ("joining", None)),
        ("completed", 7, 7, ("completed", 7)),
    ],
)
def test_the_bar_does_not_stand_at_its_end_while_the_file_is_joined(
    status: str, done: int, total: int, shown: tuple[str, int | None]
) -> None:
    progress = {"segments_done": done, "segments_total": total, "audio_seconds": 2.0}
    fields = show_progress({"status": status, "progress": progress, "duration_seconds": None})

    assert (fields["description"], fields["total"]) == shown


@pytest.mark.usefixtures("workers")
def test_a_job_that_fails_is_one_line_and_no_file(run: Run, tmp_path: Path) -> None:
    result = run("submit", "-", "-o", tmp_path / "out.mp3", given="Fail.")
    assert "It broke." in the_line(result)
    assert list(tmp_path.iterdir()) == []


def test_the_error_for_a_file_that_is_no_text_is_one_line(run: Run) -> None:
    assert "UTF-8" in the_line(run("submit", "-", given=b"\xff\xc3"))
    assert "empty" in the_line(run("submit", "-", given=""))


def test_a_job_is_downloaded_whole_or_not_at_all(run: Run, job_store: JobStore, store: Store, tmp_path: Path) -> None:
    job_id = submitted(run)
    assert "not finished" in the_line(run("download", job_id, "-o", tmp_path / "out.mp3"))
    assert list(tmp_path.iterdir()) == []
    end(job_store, store, job_id)
    assert "absent" in the_line(run("download", job_id, "-o", tmp_path / "absent" / "out.mp3"))
    assert run("download", job_id, "-o", tmp_path / "out.mp3").exit_code == 0
    assert (tmp_path / "out.mp3").read_bytes() == SOUND


def test_captions_are_asked_for_and_fetched_in_the_format_of_the_file(
    run: Run, job_store: JobStore, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job_id = submitted(run, "Hello.", "--captions")
    with store.put(words_path(job_id)) as file:
        file.write(write_captions([TimedWord("Hello.", 0.0, 1.5)]))
    assert "not finished" in the_line(run("captions", job_id))
    end(job_store, store, job_id)
    result = run("captions", job_id)
    assert result.exit_code == 0, result.output
    assert f"{job_id}.srt: captions of 1:02:05 of speech" in result.stderr
    assert Path(f"{job_id}.srt").read_text() == "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n"
    assert run("captions", job_id, "-o", "a.vtt").exit_code == 0
    assert Path("a.vtt").read_text().startswith("WEBVTT\n")
    assert run("captions", job_id, "-o", "words.txt", "--format", "json").exit_code == 0
    assert json.loads(Path("words.txt").read_text())["words"] == [{"word": "Hello.", "start": 0.0, "end": 1.5}]
    assert "extension" in the_line(run("captions", job_id, "-o", "b.txt"))
    assert {path.name for path in tmp_path.iterdir()} == {f"{job_id}.srt", "a.vtt", "words.txt"}


def test_captions_that_were_not_asked_for_are_one_line(run: Run, job_store: JobStore, store: Store, tmp_path: Path) -> None:
    job_id = submitted(run)
    end(job_store, store, job_id)
    assert '"timestamps": ["word"]' in the_line(run("captions", job_id, "-o", tmp_path / "a.srt"))
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_goes_on_where_it_was(
    run: Run, job_store: JobStore, store: Store, tmp_path: Path, cutter: Callable[..., Cutter]
) -> None:
    job_id = submitted(run)
    end(job_store, store, job_id)
    before = cutter([100_000, 0, 300_000])
    job_client.fetch(Server(before.url, None), job_id, tmp_path / "out.mp3")
    assert (tmp_path / "out.mp3").read_bytes() == SOUND
    asked = [re.search(rb"(?i)\r\nrange: bytes=(\d+)-\r\n", request) for request in before.requests]
    starts = [int(match[1]) if match else 0 for match in asked]
    assert starts[0] == 0
    assert 0 < starts[1] == starts[2] < starts[3] < len(SOUND)
    assert all(b'"5f"' in request for request in before.requests[1:])


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(
    run: Run, job_store: JobStore, store: Store, tmp_path: Path, cutter: Callable[..., Cutter], harness: Harness
) -> None:
    job_id, other = submitted(run), SOUND[::-1]
    end(job_store, store, job_id)

    def change(n_requests: int) -> None:
        if n_requests == 2:
            with store.put(file_path(job_id, "speech.mp3")) as file, harness.redis() as redis:
                file.write(other)
                changed = File(name="speech.mp3", n_bytes=len(other), etag="6f", seconds=1.0)
                redis.hset(keys.job(job_id), "file", msgspec.json.encode(changed))

    before = cutter([100_000], change)
    job_client.fetch(Server(before.url, None), job_id, tmp_path / "out.mp3")
    assert (tmp_path / "out.mp3").read_bytes() == other
    assert b"range: bytes=" in before.requests[1].lower()


def test_watching_goes_on_over_connections_that_break(
    run: Run, job_store: JobStore, store: Store, cutter: Callable[..., Cutter]
) -> None:
    job_id = submitted(run)
    before = cutter([10_000, 450, 0, 10_000])
    seen = []
    for job in job_client.watch(Server(before.url, None), job_id):
        seen.append(job["status"])
        if job["status"] == "queued" and len(before.requests) == 4:
            end(job_store, store, job_id)
    assert seen[0] == "queued"
    assert seen[-1] == "completed"
    assert len(before.requests) == 4


def test_a_server_that_stays_unreachable_is_reported(
    run: Run, monkeypatch: pytest.MonkeyPatch, cutter: Callable[..., Cutter]
) -> None:
    monkeypatch.setattr(job_client, "PATIENCE_SECONDS", 0.1)
    job_id = submitted(run)
    before = cutter([10_000, *[0] * 1000])
    with pytest.raises(ServerError, match="broke off"):
        list(job_client.watch(Server(before.url, None), job_id))
