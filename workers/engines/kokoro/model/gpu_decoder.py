"""The second half of the model on a GPU: one batch of segments through decoder and generator, each row as if it were alone.

Why masks and no packing: all rows of a batch are as long as the longest segment. AdaIN computes mean and variance over the
samples of the row's segment. Before each convolution the samples after a segment's end are set to zero, as the package pads.
"""

import math
import threading
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import torch
from torch.nn.functional import interpolate, leaky_relu

from workers.engines.kokoro.kernels.adain import EPSILON
from workers.engines.kokoro.model.cpu_decoder import restore
from workers.engines.kokoro.model.cuda_graphs import Graphs
from workers.engines.kokoro.model.prosody import Score

N_AT_ONCE: Final = 16
"""The best number of segments in a batch."""
N_ROWS: Final = (1, 2, 4, 8, 16, 32)
"""Batches are padded to one of these numbers of rows."""
FRAME_STEP: Final = 1.25
MIN_FRAMES: Final = 48
"""Rows are padded to MIN_FRAMES times a power of FRAME_STEP, so that few shapes occur. Each is captured once."""


class Rows(msgspec.Struct, frozen=True):
    """The lengths of a batch's rows at one stage of the model."""

    mask: torch.Tensor
    """(n_rows, 1, n_samples): 1 within a row's segment, 0 after it."""
    n_samples: torch.Tensor
    """(n_rows, 1, 1): the length of each row's segment."""

    @classmethod
    def of(cls, n_samples: torch.Tensor, width: int) -> "Rows":
        """Makes rows with `n_samples` (n_rows,) in a batch of `width` samples."""
        places = torch.arange(width, device=n_samples.device)
        mask = (places < n_samples.unsqueeze(1)).to(torch.float32).unsqueeze(1)
        return cls(mask, n_samples.to(torch.float32).reshape(-1, 1, 1))


def styled(adain: Any, x: torch.Tensor, style: torch.Tensor, rows: Rows) -> torch.Tensor:
    """Computes `kokoro.istftnet.AdaIN1d` over the samples of each row's segment. Later samples are undefined."""
    mean = (x * rows.mask).sum(2, keepdim=True) / rows.n_samples
    centred = (x - mean) * rows.mask
    variance = (centred * centred).sum(2, keepdim=True) / rows.n_samples
    gamma, beta = adain.fc(style).unsqueeze(2).chunk(2, dim=1)
    weight, bias = adain.norm.weight.unsqueeze(1), adain.norm.bias.unsqueeze(1)
    normed: torch.Tensor = centred * torch.rsqrt(variance + EPSILON) * weight + bias
    return (1 + gamma) * normed + beta  # type: ignore[no-any-return]


class Spectra:
    """`kokoro.istftnet.Decoder` and its generator, up to the last convolution, for rows of a batch."""

    def __init__(self, decoder: Any) -> None:
        """Uses the weights of `decoder` in place; its weight norms must be folded."""
        self._decoder = decoder
        self._generator = decoder.generator

    def __call__(
        self,
        encoded: torch.Tensor,
        pitch_hz: torch.Tensor,
        energy: torch.Tensor,
        source: torch.Tensor,
        style: torch.Tensor,
        n_frames: torch.Tensor,
    ) -> torch.Tensor:
        """Takes the fields of a Score, one row for each segment, padded with zeros; `n_frames` (n_rows,): frames of each row.

        Returns (n_rows, 2 n_bins, n_steps). Steps after a segment's end are undefined.
        """
        rows = Rows.of(n_frames, encoded.shape[2])
        x, rows = self._decode(encoded, pitch_hz, energy, style, rows)
        for stage, up in enumerate(self._generator.ups):
            x, rows = self._stage(stage, up, x, source, style, rows)
        return self._generator.conv_post(leaky_relu(x) * rows.mask)  # type: ignore[no-any-return]

    def _decode(
        self, encoded: torch.Tensor, pitch_hz: torch.Tensor, energy: torch.Tensor, style: torch.Tensor, rows: Rows
    ) -> tuple[torch.Tensor, Rows]:
        decoder = self._decoder
        curves = [decoder.F0_conv(pitch_hz.unsqueeze(1)), decoder.N_conv(energy.unsqueeze(1))]
        x, rows = _block(decoder.encode, torch.cat([encoded, *curves], dim=1) * rows.mask, style, rows)
        beside = [decoder.asr_res(encoded), *curves]
        for block in decoder.decode:
            if beside:
                x = torch.cat([x, *beside], dim=1) * rows.mask
            x, rows = _block(block, x, style, rows)
            if block.upsample_type != "none":
                beside = []
        return x, rows

    def _stage(
        self, stage: int, up: Any, x: torch.Tensor, source: torch.Tensor, style: torch.Tensor, rows: Rows
    ) -> tuple[torch.Tensor, Rows]:
        generator = self._generator
        is_last = stage == len(generator.ups) - 1
        x = up(leaky_relu(x, negative_slope=0.1))
        n_samples = rows.n_samples.flatten() * up.stride[0]
        if is_last:
            x = generator.reflection_pad(x)
            n_samples = n_samples + 1
        rows = Rows.of(n_samples, x.shape[2])
        beside = _resblock(generator.noise_res[stage], generator.noise_convs[stage](source), style, rows)
        x = (x + beside) * rows.mask
        n = generator.num_kernels
        blocks = generator.resblocks[stage * n : (stage + 1) * n]
        return sum(_resblock(block, x, style, rows) for block in blocks) / n * rows.mask, rows


def _block(block: Any, x: torch.Tensor, style: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, Rows]:
    """Computes `kokoro.istftnet.AdainResBlk1d`."""
    hidden = block.pool(block.actv(styled(block.norm1, x, style, rows)) * rows.mask)
    shortcut = x
    if block.upsample_type != "none":
        shortcut = interpolate(x, scale_factor=2, mode="nearest")
        rows = Rows.of(rows.n_samples.flatten() * 2, hidden.shape[2])
    hidden = block.conv1(hidden * rows.mask)
    hidden = block.conv2(block.actv(styled(block.norm2, hidden, style, rows)) * rows.mask)
    if block.learned_sc:
        shortcut = block.conv1x1(shortcut)
    return (hidden + shortcut) * (0.5**0.5) * rows.mask, rows


def _resblock(block: Any, x: torch.Tensor, style: torch.Tensor, rows: Rows) -> torch.Tensor:
    """Computes `kokoro.istftnet.AdaINResBlock1`."""
    halves = ((block.adain1, block.alpha1, block.convs1), (block.adain2, block.alpha2, block.convs2))
    for i in range(len(block.convs1)):
        hidden = x
        for adain, alpha, convs in halves:
            hidden = styled(adain[i], hidden, style, rows)
            bent = hidden + torch.sin(alpha[i] * hidden) ** 2 / alpha[i]
            hidden = convs[i](bent * rows.mask)
        x = x + hidden
    return x


class BatchDecoder:
    """Decodes several scores at once on a device. Thread-safe: one thread computes at a time, the others wait."""

    def __init__(self, original: Any, device: torch.device) -> None:
        """Takes over the weights of `original`, a `kokoro.istftnet.Decoder` whose weight norms are folded."""
        self._device = device
        self._stft = original.generator.stft
        self._n_bins: int = original.generator.post_n_fft // 2 + 1
        spectra = Spectra(original.to(device))
        # The source module runs in the prosody half, on the CPU.
        original.generator.m_source.to("cpu")
        self._spectra = Graphs(spectra) if device.type == "cuda" else spectra
        self._lock = threading.Lock()

    @torch.inference_mode()
    def __call__(self, scores: Sequence[Score], n_threads: int = 1) -> list[torch.Tensor]:
        """Returns the samples of each segment, (n_samples,), float32, on the CPU. `n_threads` has no effect."""
        n_rows = next((n for n in N_ROWS if n >= len(scores)), len(scores))
        n_frames = [score.encoded.shape[2] for score in scores]
        width = fill_up(max(n_frames))
        # Padding rows have one frame; their output is not used.
        lengths = torch.tensor([*n_frames, *[1] * (n_rows - len(scores))])
        source_width = 2 * width * self._n_steps_of_half(scores[0]) + 1
        inputs = [
            _stack([score.encoded for score in scores], n_rows, width),
            _stack([score.pitch_hz for score in scores], n_rows, 2 * width),
            _stack([score.energy for score in scores], n_rows, 2 * width),
            _stack([score.source for score in scores], n_rows, source_width),
            _stack([score.style for score in scores], n_rows, scores[0].style.shape[1]),
            lengths,
        ]
        with self._lock:
            spectra = self._spectra(*(one.to(self._device) for one in inputs)).cpu()
        return [self._restore(spectra[i : i + 1], score) for i, score in enumerate(scores)]

    @staticmethod
    def _n_steps_of_half(score: Score) -> int:
        """Returns the steps of the source's spectrum in half a frame."""
        return (score.source.shape[2] - 1) // score.pitch_hz.shape[1]

    def _restore(self, spectra: torch.Tensor, score: Score) -> torch.Tensor:
        """Returns the samples of one row. Each row is transformed alone, since the inverse transform overlaps at its end."""
        return restore(spectra[:, :, : score.source.shape[2]], self._n_bins, self._stft)


def fill_up(n_frames: int) -> int:
    """Returns the width of a batch whose longest row has `n_frames`."""
    width = float(MIN_FRAMES)
    while width < n_frames:
        width *= FRAME_STEP
    return math.ceil(width)


def _stack(parts: Sequence[torch.Tensor], n_rows: int, width: int) -> torch.Tensor:
    """Stacks parts (1, …, at most width) to (n_rows, …, width), padded with zeros."""
    out = torch.zeros(n_rows, *parts[0].shape[1:-1], width)
    for i, part in enumerate(parts):
        out[i, ..., : part.shape[-1]] = part[0]
    return out
