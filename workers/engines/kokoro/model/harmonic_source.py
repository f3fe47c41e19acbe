"""The model's sound source: harmonics of the pitch, and noise that is determined by the segment.

Why noise is an argument: Kokoro draws it from PyTorch's global generator, which all threads share. The sound of a segment would
then depend on earlier segments. Here it is drawn from a seed, on the CPU for every device.

Why the arithmetic equals the package's to the last bit: the next step is the angle of a spectrum, which jumps by a whole turn
if a number near zero changes its sign. The omitted steps change no bit: the package spreads each frame's pitch over its samples
and then takes the mean of the middle two, which is the same pitch. This mean also discards the random phases that the package
adds to the first sample.
"""

from typing import Any, Final

import torch
from torch.nn.functional import interpolate

_SEED_BYTES: Final = 8
_PIECE_FRAMES: Final = 64
"""Half-frames of pitch that are computed at once. The first write to new memory costs more than the arithmetic, and pieces of
this size are written to the same memory again and again.
"""


def draw_noise(digest: bytes, n_samples: int, n_harmonics: int) -> torch.Tensor:
    """Returns the noise of the segment with this `digest` (at least 8 bytes): (n_samples, n_harmonics), float32, normal."""
    generator = torch.Generator()
    generator.manual_seed(int.from_bytes(digest[:_SEED_BYTES], "big") >> 1)
    return torch.randn(n_samples, n_harmonics, generator=generator)


class Source:
    """Computes what `kokoro.istftnet.SourceModuleHnNSF` computes for a pitch curve spread over the samples."""

    def __init__(self, original: Any) -> None:
        """Takes over the weights and constants of `original`."""
        self._linear = original.l_linear
        sines = original.l_sin_gen
        self.n_harmonics: int = sines.harmonic_num + 1
        self.n_samples_of_frame: int = sines.upsample_scale
        self._rate_hz: int = sines.sampling_rate
        self._amplitude: float = sines.sine_amp
        self._voiced_noise: float = sines.noise_std
        self._voiced_hz: float = sines.voiced_threshold

    def __call__(self, pitch_hz: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """`pitch_hz` (batch, n_frames), `noise` (batch, n_samples, n_harmonics) → (batch, n_samples), in [-1, 1]."""
        voiced = (pitch_hz > self._voiced_hz).to(pitch_hz.dtype)
        noise_level = voiced * self._voiced_noise + (1 - voiced) * self._amplitude / 3
        phases = self._phases(pitch_hz)
        merged = torch.empty(phases.shape[:2])
        scale = self.n_samples_of_frame
        for first in range(0, pitch_hz.shape[1], _PIECE_FRAMES):
            frames = slice(first, first + _PIECE_FRAMES)
            samples = slice(scale * frames.start, scale * frames.stop)
            share, level = (curve[:, frames].repeat_interleave(scale, dim=1).unsqueeze(2) for curve in (voiced, noise_level))
            waves = torch.sin(phases[:, samples]).mul_(self._amplitude).mul_(share)
            merged[:, samples] = self._linear(waves.add_(level * noise[:, samples])).squeeze(2)
        return merged.tanh_()

    def _phases(self, pitch_hz: torch.Tensor) -> torch.Tensor:
        """Returns the phase of each multiple of the pitch: (batch, n_samples, n_harmonics). They accumulate frame by frame."""
        multiples = torch.arange(1, self.n_harmonics + 1, device=pitch_hz.device, dtype=pitch_hz.dtype)
        cycles = (pitch_hz.unsqueeze(2) * multiples / self._rate_hz) % 1
        turns = torch.cumsum(cycles, dim=1) * 2 * torch.pi
        scale = self.n_samples_of_frame
        return interpolate(turns.transpose(1, 2) * scale, scale_factor=scale, mode="linear").transpose(1, 2)
