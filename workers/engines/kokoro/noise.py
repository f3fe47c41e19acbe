"""The model's sound source with noise that is seeded per segment: the same segment gives the same samples in any thread.

Why the source is replaced: Kokoro's draws from PyTorch's global generator, which all threads share, so that what one segment
sounds like would depend on what was spoken before it. The noise is drawn on the CPU, whatever the device, in one order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import torch
from torch.nn.functional import interpolate

_generator: Final[ContextVar[torch.Generator]] = ContextVar("noise_generator")


class SeededSource(torch.nn.Module):
    """Harmonics of a pitch curve with noise, merged into one channel, as `kokoro.istftnet.SourceModuleHnNSF` makes them."""

    def __init__(self, original: Any) -> None:
        """Takes over the weights and constants of `original`, a loaded `SourceModuleHnNSF`."""
        super().__init__()
        self.l_linear = original.l_linear
        sines = original.l_sin_gen
        self.n_harmonics: int = sines.harmonic_num + 1
        self.rate_hz: int = sines.sampling_rate
        self.scale: int = sines.upsample_scale
        self.amplitude: float = sines.sine_amp
        self.voiced_noise: float = sines.noise_std
        self.voiced_hz: float = sines.voiced_threshold

    def forward(self, f0: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`f0` (batch, n_samples, 1) in Hz → the source (batch, n_samples, 1), and twice the voiced mask, which nobody reads.

        Raises LookupError outside of `seeded`.
        """
        voiced = (f0 > self.voiced_hz).to(f0.dtype)
        noise_level = voiced * self.voiced_noise + (1 - voiced) * self.amplitude / 3
        phases = self._draw(torch.rand, (f0.shape[0], self.n_harmonics), f0.device)
        phases[:, 0] = 0
        waves = self._sines(f0, phases) * self.amplitude * voiced
        noise = self._draw(torch.randn, tuple(waves.shape), f0.device)
        return torch.tanh(self.l_linear(waves + noise_level * noise)), voiced, voiced

    def _sines(self, f0: torch.Tensor, phases: torch.Tensor) -> torch.Tensor:
        """(batch, n_samples, n_harmonics): a sine for each multiple of `f0`, added up frame by frame, as in training."""
        multiples = torch.arange(1, self.n_harmonics + 1, device=f0.device, dtype=f0.dtype)
        cycles = (f0 * multiples / self.rate_hz) % 1
        cycles[:, 0, :] = cycles[:, 0, :] + phases
        per_frame = interpolate(cycles.transpose(1, 2), scale_factor=1 / self.scale, mode="linear")
        turns = torch.cumsum(per_frame, dim=2) * 2 * torch.pi
        return torch.sin(interpolate(turns * self.scale, scale_factor=self.scale, mode="linear").transpose(1, 2))

    @staticmethod
    def _draw(distribution: Any, shape: tuple[int, ...], device: torch.device) -> torch.Tensor:
        drawn: torch.Tensor = distribution(shape, generator=_generator.get())
        return drawn.to(device)


@contextmanager
def seeded(digest: bytes) -> Iterator[None]:
    """Within it, in this thread, the noise is the one that belongs to `digest` (at least 8 bytes)."""
    generator = torch.Generator()
    generator.manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    token = _generator.set(generator)
    try:
        yield
    finally:
        _generator.reset(token)
