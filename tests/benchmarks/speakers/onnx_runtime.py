"""ONNX Runtime on an ONNX file of Kokoro, as `kokoro-onnx` runs it. Does not import torch, which would add to its memory."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.benchmarks.cached_files import read_vocabulary


class OnnxSpeaker:
    """See Speaker. It has one session for each number of threads, made at its first use."""

    def __init__(self, model_dir: Path, onnx_file: Path) -> None:
        self._path = onnx_file
        self._vocabulary = read_vocabulary(model_dir)
        self._pack = np.load(onnx_file.with_name("voice.npy"))
        self._sessions: dict[int, onnxruntime.InferenceSession] = {}

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        ids = np.array([[0, *(self._vocabulary[phoneme] for phoneme in phonemes), 0]], dtype=np.int64)
        given = {"tokens": ids, "style": self._pack[len(phonemes) - 1], "speed": np.ones(1, dtype=np.float32)}
        audio, *_ = self._session(n_threads).run(None, given)
        n_samples: int = audio.shape[-1]
        return n_samples / SAMPLE_RATE_HZ

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """See Speaker: one after the other, all threads for each."""
        return sum(self.speak(phonemes, n_threads) for phonemes in segments)

    def _session(self, n_threads: int) -> onnxruntime.InferenceSession:
        if n_threads not in self._sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = n_threads
            options.log_severity_level = 3  # only errors
            self._sessions[n_threads] = onnxruntime.InferenceSession(self._path, options, providers=["CPUExecutionProvider"])
        return self._sessions[n_threads]


def load(model_dir: Path, onnx_file: Path | None) -> OnnxSpeaker:
    """Returns a speaker that loads the file when it first speaks."""
    assert onnx_file is not None
    return OnnxSpeaker(model_dir, onnx_file)
