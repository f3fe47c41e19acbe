"""`koe fetch` against a Hub on loopback: what it downloads, resumes and refuses, and what it says when there is none."""

import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.core.voices import load_catalogue
from workers.engines.kokoro.names import CONFIG, REPOSITORY, WEIGHTS

COMMIT = "0" * 40
NAMES = [CONFIG, WEIGHTS, *(f"voices/{voice_id}.pt" for voice_id in load_catalogue().voices)]


class Hub(ThreadingHTTPServer):
    """Serves files as the Hub does, and notes which were asked for whole or in part."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {f"/{REPOSITORY}/resolve/main/{name}": name.encode() * 20 for name in NAMES}
        self.downloaded: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(is_head=True)

    def do_GET(self) -> None:
        if "/resolve/main/" in self.path:
            self.server.downloaded.append(self.path.rpartition("/main/")[2])
        self._answer(is_head=False)

    def _answer(self, *, is_head: bool) -> None:
        data = self.server.files.get(self.path)
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.send_header("ETag", f'"{hashlib.sha256(data or b"").hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if not is_head:
            self.wfile.write(data or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name for it
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(program: str, *, endpoint: str, **environ: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "KOE_"))}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=own | {"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


FETCH = """
import hashlib, os
from pathlib import Path
from workers import fetch
from app.core.settings import read_settings
fetch.WEIGHTS_SHA256 = os.environ.get("SHA256", fetch.WEIGHTS_SHA256)
try:
    print(fetch.fetch(read_settings({k: v for k, v in os.environ.items() if k.startswith("KOE_")})))
except fetch.click.ClickException as error:
    print("Error:", error.message)
"""


def test_every_file_is_fetched_once_and_verified(hub: Hub, tmp_path: Path) -> None:
    digest = hashlib.sha256(hub.files[f"/{REPOSITORY}/resolve/main/{WEIGHTS}"]).hexdigest()

    runs = [fetch(FETCH, endpoint=hub.url, SHA256=digest, KOE_MODEL_DIR=str(tmp_path / "model")) for _ in range(2)]

    assert [run.stdout.splitlines()[-1] for run in runs] == [str(tmp_path / "model")] * 2, runs[0].stderr
    assert sorted(hub.downloaded) == sorted(NAMES)
    assert all((tmp_path / "model" / name).read_bytes() == name.encode() * 20 for name in NAMES)


def test_weights_that_are_not_kokoros_are_refused_and_deleted(hub: Hub, tmp_path: Path) -> None:
    said = fetch(FETCH, endpoint=hub.url, KOE_MODEL_DIR=str(tmp_path / "model")).stdout.splitlines()[-1]

    assert said.startswith("Error: ")
    assert "run `koe fetch` again" in said
    assert not (tmp_path / "model" / WEIGHTS).exists()


@pytest.mark.parametrize("environ", [{}, {"HF_HUB_OFFLINE": "1"}], ids=["without the file", "offline"])
def test_a_file_that_cannot_be_had_is_told_with_what_to_do(hub: Hub, tmp_path: Path, environ: dict[str, str]) -> None:
    hub.files.clear()

    said = fetch(FETCH, endpoint=hub.url, KOE_MODEL_DIR=str(tmp_path / "model"), **environ).stdout.splitlines()[-1]

    assert said.startswith(f"Error: {WEIGHTS} could not be had from the Hugging Face Hub")
    assert "KOE_MODEL_DIR" in said


TAGGER = """
import os
from workers import fetch
print(fetch.fetch_tagger(os.environ["URL"]))
"""


def a_tagger(folder: Path) -> Path:
    """A wheel of spaCy's model, with nothing in it."""
    wheel = folder / "en_core_web_sm-3.8.0-py3-none-any.whl"
    info = "en_core_web_sm-3.8.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("en_core_web_sm/__init__.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: en_core_web_sm\nVersion: 3.8.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def test_the_english_model_is_installed_if_it_is_what_it_should_be(tmp_path: Path) -> None:
    wheel = a_tagger(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    endpoint = "http://127.0.0.1:1"

    good = fetch(TAGGER, endpoint=endpoint, URL=f"file://{wheel}#sha256={digest}", PIP_TARGET=str(tmp_path / "good"))
    bad = fetch(TAGGER, endpoint=endpoint, URL=f"file://{wheel}#sha256={'0' * 64}", PIP_TARGET=str(tmp_path / "bad"))

    assert good.stdout.splitlines()[-1] == "en_core_web_sm is installed.", good.stderr
    assert (tmp_path / "good" / "en_core_web_sm" / "__init__.py").exists()
    assert bad.stdout.splitlines()[-1].startswith("! en_core_web_sm could not be had: English is spoken without it")
    assert not (tmp_path / "bad" / "en_core_web_sm").exists()
