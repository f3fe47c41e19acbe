"""Predicts with DNSMOS how good a response sounds to people: 1 is bad, 5 is excellent.

Why DNSMOS: it comes as ONNX files inside the package `speechmos`. DistillMOS is as good, but it needs torchaudio. The
torchaudio of the package index cannot be loaded together with the torch that Koe is pinned to: once it is installed, `import
kokoro` fails.
"""

from pathlib import Path
from typing import Final

import msgspec

from tests.ears.listener import WHISPER_HZ, Samples

_MAX_SECONDS: Final = 10
"""Only the middle of a longer response is rated: DNSMOS rates windows of 9 seconds, and each takes time."""


class Quality(msgspec.Struct, frozen=True):
    """Predicted opinion scores, 1 to 5."""

    overall: float
    signal: float
    background: float


class Judge:
    """DNSMOS. Thread-safe."""

    def __init__(self) -> None:
        import onnxruntime
        import speechmos
        from speechmos.dnsmos import DNSMOS

        folder = Path(speechmos.__file__).parent / "dnsmos_models"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._model = DNSMOS(str(folder / "sig_bak_ovr.onnx"), str(folder / "model_v8.onnx"))
        self._model.onnx_sess = onnxruntime.InferenceSession(str(folder / "sig_bak_ovr.onnx"), options)
        self._model.p808_onnx_sess = onnxruntime.InferenceSession(str(folder / "model_v8.onnx"), options)

    def rate(self, samples: Samples, rate_hz: int) -> Quality:
        """Rates `samples`, (n,) float32 in [-1, 1]."""
        import soxr

        resampled = soxr.resample(samples, rate_hz, WHISPER_HZ).clip(-1, 1)
        spare = max(0, len(resampled) - _MAX_SECONDS * WHISPER_HZ) // 2
        scores = self._model(resampled[spare : len(resampled) - spare], WHISPER_HZ, is_personalized_MOS=False)
        return Quality(float(scores["ovrl_mos"]), float(scores["sig_mos"]), float(scores["bak_mos"]))
