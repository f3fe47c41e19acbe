"""Removes from the environment of this Python what no running program reads: symbols, headers, packages' own tests.

Why not `strip` alone: it spoils some libraries of wheels that were changed after they were linked, and the loader then refuses
them. These stay as they are.
"""

import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SOURCES: Final = {".a", ".c", ".cc", ".cpp", ".cuh", ".h", ".hpp", ".pxd", ".pyi", ".pyx"}
_TESTED: Final = ("blis", "cymem", "murmurhash", "networkx", "numpy", "preshed", "spacy", "srsly", "sympy", "thinc")
"""Packages that have folders of tests inside, which nothing imports."""
_OF_TORCH: Final = ("include", "share", "test", *(f"lib/lib{name}.so" for name in ("torchbind_test", "jitbackend_test")))
_BINARY: Final = re.compile(r".*\.so(\.[0-9.]+)?|ffmpeg-.*|valkey-server")
_ELF: Final = b"\x7fELF"
_LOAD: Final = 1


def main() -> None:
    """Removes them, and prints how much that was."""
    environment = Path(sys.prefix)
    before = _megabytes(environment)
    for path in _unread(environment):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for path in environment.rglob("*"):
        if _BINARY.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            _strip(path)
    sys.stdout.write(f"{before} MB, now {_megabytes(environment)} MB\n")


def _unread(environment: Path) -> Iterator[Path]:
    packages = next((environment / "lib").glob("python3*/site-packages"))
    yield from (path for path in map((packages / "torch").joinpath, _OF_TORCH) if path.exists())
    # PyTorch looks for this program when it is imported; the others compile and test.
    yield from [path for path in (packages / "torch" / "bin").glob("*") if path.name != "torch_shm_manager"]
    for package in _TESTED:
        yield from [path for path in (packages / package).rglob("tests") if path.is_dir()]
    yield from [path for path in environment.rglob("*") if path.suffix in _SOURCES and path.is_file()]


def _strip(path: Path) -> None:
    stripped = path.with_name(f"{path.name}.stripped")
    done = subprocess.run(["strip", "--strip-unneeded", "-o", stripped, path], capture_output=True, check=False)
    if done.returncode == 0 and can_be_loaded(stripped.read_bytes()):
        path.write_bytes(stripped.read_bytes())
    stripped.unlink(missing_ok=True)


def can_be_loaded(elf: bytes) -> bool:
    """Whether every segment of a 64-bit program or library is placed so that the loader accepts it."""
    if elf[:4] != _ELF:
        return False
    first, size, n_segments = *struct.unpack_from("<Q", elf, 32), *struct.unpack_from("<HH", elf, 54)
    for i in range(n_segments):
        kind, _, offset, address, _, _, _, alignment = struct.unpack_from("<IIQQQQQQ", elf, first + i * size)
        if kind == _LOAD and (address - offset) % max(1, alignment):
            return False
    return True


def _megabytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*")) // 1_000_000


if __name__ == "__main__":
    main()
