"""The second half of the model on a CPU, from a score to samples: decoder, iSTFTNet generator, inverse transform.

Why not the package's: a segment spends nine tenths of its time in the generator's residual blocks, and
`workers.engines.kokoro.kernels.resblock` computes them faster. Independent branches run in parallel, on the threads of a team.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import torch
from torch.nn.functional import leaky_relu_

from workers.engines.kokoro.kernels.resblock import ResBlock
from workers.engines.kokoro.kernels.strided import NarrowConvolution, Upsampling, WindowedConvolution
from workers.engines.kokoro.kernels.styled import StyledBlock
from workers.engines.kokoro.kernels.threads import Task, Team
from workers.engines.kokoro.kernels.workspace import Moments, Output, Workspace, Workspaces, pieces_of, stay
from workers.engines.kokoro.model.prosody import Score

_SLOPE: Final = 0.1
"""Slope of the leaky ReLU before a stage."""
_LAST_SLOPE: Final = 0.01
"""Slope of the leaky ReLU after the last stage."""


class Decoder:
    """Computes what `kokoro.istftnet.Decoder` computes, for one segment at a time. Thread-safe."""

    def __init__(self, original: Any) -> None:
        """Takes over the weights of `original`, whose weight norms must be folded."""
        generator = original.generator
        self._frames = Frames(original)
        n_stages, n = len(generator.ups), generator.num_kernels
        self._stages = [
            Stage(
                generator.noise_convs[i],
                generator.noise_res[i],
                generator.ups[i],
                generator.resblocks[i * n : (i + 1) * n],
                is_last=i == n_stages - 1,
                name=f"raised {i}",
            )
            for i in range(n_stages)
        ]
        self._post = NarrowConvolution(generator.conv_post)
        self._n_bins: int = generator.post_n_fft // 2 + 1
        self._stft = generator.stft
        self._workspaces, self._signals = Workspaces(), Workspaces()

    @torch.inference_mode()
    def __call__(self, scores: Sequence[Score], n_threads: int = 1, give_way: Callable[[], None] = stay) -> list[torch.Tensor]:
        """Returns the samples of each segment, (n_samples,), float32. They do not depend on `n_threads`.

        With one thread, `give_way` is called between steps of some 30 ms. It may speak another segment.
        """
        return [self._speak(score, n_threads, give_way if n_threads == 1 else stay) for score in scores]

    def _speak(self, score: Score, n_threads: int, give_way: Callable[[], None]) -> torch.Tensor:
        with self._signals.lend() as signals, Team(n_threads) as team:

            def start(work: Callable[[Workspace], torch.Tensor]) -> Task[torch.Tensor]:
                return team.start(partial(self._work, work, give_way))

            # The last stage's branch is the longest and is needed last, so idle threads begin with it.
            branches = [start(partial(stage.branch, score, signals)) for stage in reversed(self._stages)][::-1]
            x = leaky_relu_(self._frames(score), _SLOPE)
            for stage, branch in zip(self._stages, branches, strict=True):
                x = stage(x, branch, score.style, signals, start)
            spectra = self._post(x).t().unsqueeze(0)
        return restore(spectra, self._n_bins, self._stft)

    def _work(self, work: Callable[[Workspace], torch.Tensor], give_way: Callable[[], None]) -> torch.Tensor:
        with self._workspaces.lend(give_way) as workspace:
            return work(workspace)


Start = Callable[[Callable[[Workspace], torch.Tensor]], Task[torch.Tensor]]
"""Starts a computation on a free thread, with its own workspace."""


class Stage:
    """One upsampling stage: the source's branch, the upsampled signal, and the mean of three residual blocks."""

    def __init__(self, noise_conv: Any, noise_block: Any, up: Any, blocks: Sequence[Any], *, is_last: bool, name: str) -> None:
        """Takes over the weights of these modules. `name`: the name of its upsampled signal's memory, unique to this stage."""
        self._noise_conv, self._noise_block = WindowedConvolution(noise_conv), ResBlock(noise_block)
        self._up = Upsampling(up, up.bias.detach() + self._noise_block.bias, is_reflected=is_last)
        self._blocks = [ResBlock(block) for block in blocks]
        self._mean_bias = torch.stack([block.bias for block in self._blocks]).mean(0)
        self._slope, self._name = _LAST_SLOPE if is_last else _SLOPE, name

    def branch(self, score: Score, signals: Workspace, workspace: Workspace) -> torch.Tensor:
        """Returns the source's contribution without a bias, (n_samples, n_channels)."""
        source = self._noise_conv(score.source[0], partial(signals.take, self._name))
        moments = Moments()
        for piece in pieces_of(source):
            moments.see(piece)
        return self._noise_block(source, moments, score.style, source, workspace)

    def __call__(
        self, x: torch.Tensor, branch: Task[torch.Tensor], style: torch.Tensor, signals: Workspace, start: Start
    ) -> torch.Tensor:
        """`x` (n, n_in) → (n_samples, n_channels); both after a leaky ReLU. `x` must not be used afterwards."""
        raised, moments = branch.result(), Moments()
        self._up(x, Output(raised, base=raised, seen=moments))
        outs = [signals.take(f"block {i}", *raised.shape) for i in range(len(self._blocks))]
        works = [partial(block, raised, moments, style, out) for block, out in zip(self._blocks, outs, strict=True)]
        # The last block has the longest kernel, so it starts first.
        for task in [start(work) for work in reversed(works)][::-1]:
            task.result()
        return self._mean(outs)

    def _mean(self, outs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Returns the mean of the blocks' outputs, in the memory of the first."""
        for total, *others in zip(*map(pieces_of, outs), strict=True):
            for other in others:
                total.add_(other)
            leaky_relu_(torch.add(self._mean_bias, total, alpha=1 / len(outs), out=total), self._slope)
        return outs[0]


class Frames:
    """The part of the decoder before the generator: computes half frames from a score."""

    def __init__(self, original: Any) -> None:
        """Takes over the weights of `original`, a `kokoro.istftnet.Decoder`."""
        self._curves = original.F0_conv, original.N_conv
        (aside,) = original.asr_res
        self._aside = WindowedConvolution(aside)
        self._first = StyledBlock(original.encode)
        self._blocks = [StyledBlock(block) for block in original.decode]

    def __call__(self, score: Score) -> torch.Tensor:
        """Returns (2 n_frames, n_channels)."""
        of_frames = zip(self._curves, (score.pitch_hz, score.energy), strict=True)
        curves = [conv(curve.unsqueeze(1))[0].t() for conv, curve in of_frames]
        x = self._first(torch.cat([score.encoded[0].t(), *curves], dim=1), score.style)
        beside = [self._aside(score.encoded[0]), *curves]
        for block in self._blocks:
            # Until a block has doubled the frames, each block gets the phonemes and curves in addition to the previous output.
            x = block(torch.cat([x, *beside], dim=1), score.style)
            if block.doubles:
                beside = []
        return x


def restore(spectra: torch.Tensor, n_bins: int, stft: Any) -> torch.Tensor:
    """(1, 2 n_bins, n_steps) → (n_samples,). The input: logarithms of magnitudes, then values whose sines are the angles."""
    magnitudes, angles = torch.exp(spectra[:, :n_bins]), torch.sin(spectra[:, n_bins:])
    lengths = stft.filter_length, stft.hop_length, stft.win_length
    # The package multiplies by a complex exponential, which takes seven times as long.
    return torch.istft(torch.polar(magnitudes, angles), *lengths, window=stft.window).flatten()
