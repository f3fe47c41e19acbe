"""Removes from the environment of this Python what no running program of Koe reads: whole packages, files of packages, symbols.

Why not `strip` alone: it spoils some libraries of wheels that were changed after they were linked, and the loader then refuses
them. These stay as they are.
"""

import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

_PACKAGES: Final = {
    # Koe has the one model of it that Kokoro needs (workers/engines/kokoro/albert.py).
    "transformers": ("transformers", "tokenizers", "safetensors"),
    # Models of spaCy that are transformers. Koe uses the small model, which is none.
    "spacy-curated-transformers": ("spacy-curated-transformers", "curated-transformers", "curated-tokenizers"),
    # PyTorch imports them for its compiler alone.
    "torch": ("sympy", "mpmath", "networkx"),
    # Examples in schemas, which Koe writes itself.
    "litestar": ("polyfactory", "Faker"),
    # Faster downloads. Without it `koe fetch` downloads the same files.
    "huggingface_hub": ("hf-xet",),
    # Builds packages.
    "pip": ("setuptools",),
}
"""Package that asks for others → the packages that nothing of Koe imports."""

_UNREAD: Final = (
    # What compiles or tests.
    *("torch/include", "torch/share", "torch/test", "torchgen/packaged", "onnx/backend/test"),
    *("torch/testing/_internal/distributed", "torch/testing/_internal/generated", "torch/testing/_internal/opinfo"),
    *("torch/lib/libtorchbind_test.so", "torch/lib/libjitbackend_test.so", "numpy/distutils", "numpy/f2py", "opencc/clib/bin"),
    # PyTorch's compiler, whose other parts are imported.
    *("torch/_inductor/codegen", "torch/_inductor/fx_passes", "torch/_inductor/kernel"),
    # Models that tag and weigh words, and the tables of Jython: Koe only divides text into words.
    *("jieba/lac_small", "jieba/analyse", "jieba/posseg", "jieba/finalseg/*.p"),
    # Koe has its pages parsed, and no more.
    *("lxml/html", "lxml/includes", "lxml/isoschematron", "lxml/objectify.*"),
    # The dictionary of a Japanese G2P that Koe does not use.
    "misaki/data/ja_words.txt",
    # Copies of libespeak-ng.so under other names.
    "espeakng_loader/libespeak-ng.so.*",
    # Koe's page of the API has two files of it.
    *("swagger_ui_bundle/vendor/*/*.map", "swagger_ui_bundle/vendor/*/*es-bundle*", "swagger_ui_bundle/vendor/*/swagger-ui.js"),
    "swagger_ui_bundle/vendor/*/swagger-ui-standalone-preset.js",
)
"""Patterns of files and folders in site-packages."""

_LOCALES: Final = {"root", "en", "es", "fr", "hi", "it", "ja", "pt", "zh"}
"""Locales of babel that stay: those of the languages of app/core/speech/languages.py, for all countries."""

_SOURCES: Final = {".a", ".c", ".cc", ".cpp", ".cuh", ".h", ".hpp", ".pxd", ".pyi", ".pyx"}
_TESTED: Final = ("blis", "cymem", "murmurhash", "numpy", "preshed", "spacy", "srsly", "thinc")
"""Packages that have folders of tests inside, which nothing imports."""
_BINARY: Final = re.compile(r".*\.so(\.[0-9.]+)?|ffmpeg-.*|valkey-server")
_ELF: Final = b"\x7fELF"
_LOAD: Final = 1


def main() -> None:
    """Removes them, and prints how much that was."""
    environment = Path(sys.prefix)
    before = _megabytes(environment)
    for package in (name for names in _PACKAGES.values() for name in names):
        _uninstall(package)
    for path in _unread(environment):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for path in environment.rglob("*"):
        if _BINARY.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            _strip(path)
    sys.stdout.write(f"{before} MB, now {_megabytes(environment)} MB\n")


def _uninstall(package: str) -> None:
    """Removes all files of a package, if it is here."""
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        return
    for file in files:
        Path(file.locate()).unlink(missing_ok=True)


def _unread(environment: Path) -> Iterator[Path]:
    packages = next((environment / "lib").glob("python3*/site-packages"))
    for pattern in _UNREAD:
        yield from list(packages.glob(pattern))
    # PyTorch looks for this program when it is imported; the others compile and test.
    yield from [path for path in (packages / "torch" / "bin").glob("*") if path.name != "torch_shm_manager"]
    for package in _TESTED:
        yield from [path for path in (packages / package).rglob("tests") if path.is_dir()]
    yield from (path for path in packages.glob("babel/locale-data/*.dat") if path.stem.partition("_")[0] not in _LOCALES)
    # compile.py writes the byte code of what is imported; an image has no other.
    yield from list(environment.rglob("__pycache__"))
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
