"""A speaker in a process of its own, so that none has another's libraries, memory, threads or settings."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.benchmarks.speakers import Speaker, load_speaker


class Apart:
    """See Speaker. For the time of a `with`."""

    def __init__(self, name: str, model_dir: Path, onnx_dir: Path | None) -> None:
        self._process = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_load, initargs=(name, model_dir, onnx_dir)
        )

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.shutdown()

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        return float(self.call("speak", phonemes, n_threads))

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """See Speaker."""
        return float(self.call("speak_all", segments, n_threads))

    def call(self, method: str, *arguments: object) -> Any:
        """What the speaker's method of that name returns."""
        return self._process.submit(_call, method, arguments).result()


_loaded: list[Speaker] = []


def _load(name: str, model_dir: Path, onnx_dir: Path | None) -> None:
    _loaded.append(load_speaker(name, model_dir, onnx_dir))


def _call(method: str, arguments: Sequence[object]) -> object:
    return getattr(_loaded[0], method)(*arguments)
