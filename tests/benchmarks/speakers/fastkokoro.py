"""`fastkokoro`, another server for CPUs: ONNX Runtime on a simplified graph, on the same weights.

`python -m tests.benchmarks.speakers.fastkokoro ONNX_DIR` simplifies the graph once, as the server does when it first starts.

Why on the benchmark's export: its own file, made for segments of at most 94 phonemes, is on Hugging Face alone, and its weights
are not those of the other speakers. Why the end is not cut off: the server drops the last 0.22 s of each segment after it has
computed them, so its seconds of computing for a second of audio would seem to be more.
"""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from fastkokoro.config import Settings
from fastkokoro.engine import FastKokoro

from tests.benchmarks.cached_files import VOICE, make_once

_FOLDER: Final = "fastkokoro"


class FastKokoroSpeaker:
    """See Speaker. It has one engine for each number of threads, made at its first use."""

    def __init__(self, onnx_dir: Path) -> None:
        self._onnx_dir = onnx_dir
        self._engines: dict[int, FastKokoro] = {}

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        if n_threads not in self._engines:
            self._engines[n_threads] = _engine(self._onnx_dir, self._onnx_dir / _FOLDER, n_threads)
        engine = self._engines[n_threads]
        style = engine.kokoro.get_voice_style(VOICE)
        audio, rate_hz = engine._create_samples(phonemes, voice=style, speed=1.0, lang="en-us", is_phonemes=True, trim=False)
        seconds: float = len(audio) / rate_hz
        return seconds

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """See Speaker: one after the other, all threads for each."""
        return sum(self.speak(phonemes, n_threads) for phonemes in segments)


def load(_: Path, onnx_file: Path | None) -> FastKokoroSpeaker:
    """Returns a speaker that loads the model when it first speaks."""
    assert onnx_file is not None
    return FastKokoroSpeaker(onnx_file.parent)


def prepare(onnx_dir: Path) -> None:
    """Simplifies the export in `onnx_dir` and stores the voice, if that is still to be done. It takes a minute."""
    make_once(onnx_dir / _FOLDER, lambda half: _make(onnx_dir, half))


def _make(onnx_dir: Path, folder: Path) -> None:
    np.savez(folder / "voices.npz", **{VOICE: np.load(onnx_dir / "voice.npy")})
    _engine(onnx_dir, folder, n_threads=1)


def _engine(onnx_dir: Path, folder: Path, n_threads: int) -> FastKokoro:
    settings = dataclasses.replace(
        Settings.from_env(),
        model_path=onnx_dir / "onnxruntime.onnx",
        voices_path=folder / "voices.npz",
        cache_dir=folder,
        onnx_intra_op_num_threads=n_threads,
        runtime_tail_trim_ms=0,
    )
    return FastKokoro(settings)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
