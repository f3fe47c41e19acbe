"""The model's sound source: harmonics of the pitch, and noise that belongs to the segment.

Why noise is passed in: Kokoro draws it from PyTorch's global generator, which all threads share, so that what one segment
sounds like would depend on what was spoken before it. Here it is drawn on the CPU from a seed, whatever the device.

Why the arithmetic is the package's to the last bit: what comes next is the angle of a spectrum, which leaps by a whole turn
where a number that is almost zero changes its sign. What is left out is left out exactly: the package spreads each frame's
pitch over its samples and then takes the mean of the middle two, which is that pitch again; and the random phases that it adds
to the first sample are lost by that.
"""

from typing import Any, Final

import torch
from torch.nn.functional import interpolate

_SEED_BYTES: Final = 8


def draw_noise(digest: bytes, n_samples: int, n_harmonics: int) -> torch.Tensor:
    """(n_samples, n_harmonics), float32, normal: the noise of the segment that `digest`, of 8 bytes or more, names."""
    generator = torch.Generator()
    generator.manual_seed(int.from_bytes(digest[:_SEED_BYTES], "big") >> 1)
    return torch.randn(n_samples, n_harmonics, generator=generator)


class Source:
    """What `kokoro.istftnet.SourceModuleHnNSF` computes of a pitch curve that is spread over the samples."""

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
        is_voiced = (pitch_hz > self._voiced_hz).to(pitch_hz.dtype)
        voiced = is_voiced.repeat_interleave(self.n_samples_of_frame, dim=1).unsqueeze(2)
        noise_level = voiced * self._voiced_noise + (1 - voiced) * self._amplitude / 3
        waves = self._sines(pitch_hz) * self._amplitude
        merged = self._linear(waves * voiced + noise_level * noise)
        return torch.tanh(merged).squeeze(2)

    def _sines(self, pitch_hz: torch.Tensor) -> torch.Tensor:
        """(batch, n_samples, n_harmonics): a sine for each multiple of the pitch, whose phases add up frame by frame."""
        multiples = torch.arange(1, self.n_harmonics + 1, device=pitch_hz.device, dtype=pitch_hz.dtype)
        cycles = (pitch_hz.unsqueeze(2) * multiples / self._rate_hz) % 1
        turns = torch.cumsum(cycles, dim=1) * 2 * torch.pi
        scale = self.n_samples_of_frame
        return torch.sin(interpolate(turns.transpose(1, 2) * scale, scale_factor=scale, mode="linear").transpose(1, 2))
