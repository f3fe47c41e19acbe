"""The second half of the model on a CPU, from a score to samples: decoder, iSTFTNet generator, inverse transform.

Why our own: nine tenths of the time of a segment are spent in the generator's residual blocks, which are computed by
`workers.engines.kokoro.kernels.resblock`; and the branches that do not wait for each other are told to a team.
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
from workers.engines.kokoro.kernels.workspace import Moments, Output, Workspace, Workspaces, pieces_of
from workers.engines.kokoro.model.prosody import Score

_SLOPE: Final = 0.1
"""Of the leaky ReLU before a stage."""
_LAST_SLOPE: Final = 0.01
"""And behind the last."""


class Decoder:
    """What `kokoro.istftnet.Decoder` computes, for one segment at a time. May be used from several threads."""

    def __init__(self, original: Any) -> None:
        """Takes over the weights of `original`, whose weight norms are folded."""
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
    def __call__(self, scores: Sequence[Score], n_threads: int = 1) -> list[torch.Tensor]:
        """The samples of each segment, (n_samples,), float32: the same whatever `n_threads`."""
        return [self._speak(score, n_threads) for score in scores]

    def _speak(self, score: Score, n_threads: int) -> torch.Tensor:
        with self._signals.lend() as signals, Team(n_threads) as team:

            def start(work: Callable[[Workspace], torch.Tensor]) -> Task[torch.Tensor]:
                return team.start(partial(self._work, work))

            # The last stage's branch is the longest and is needed last: whoever has nothing else to do begins with it.
            branches = [start(partial(stage.branch, score, signals)) for stage in reversed(self._stages)][::-1]
            x = leaky_relu_(self._frames(score), _SLOPE)
            for stage, branch in zip(self._stages, branches, strict=True):
                x = stage(x, branch, score.style, signals, start)
            spectra = self._post(x).t().unsqueeze(0)
        return restore(spectra, self._n_bins, self._stft)

    def _work(self, work: Callable[[Workspace], torch.Tensor]) -> torch.Tensor:
        with self._workspaces.lend() as workspace:
            return work(workspace)


Start = Callable[[Callable[[Workspace], torch.Tensor]], Task[torch.Tensor]]
"""Has something computed by whoever is free, with a workspace of its own."""


class Stage:
    """One raising of the rate: what the source adds there, the raised signal, and the mean of three residual blocks."""

    def __init__(self, noise_conv: Any, noise_block: Any, up: Any, blocks: Sequence[Any], *, is_last: bool, name: str) -> None:
        """Takes over their weights. `name`: of the memory of its raised signal, which no other stage has."""
        self._noise_conv, self._noise_block = WindowedConvolution(noise_conv), ResBlock(noise_block)
        self._up = Upsampling(up, up.bias.detach() + self._noise_block.bias, is_reflected=is_last)
        self._blocks = [ResBlock(block) for block in blocks]
        self._mean_bias = torch.stack([block.bias for block in self._blocks]).mean(0)
        self._slope, self._name = _LAST_SLOPE if is_last else _SLOPE, name

    def branch(self, score: Score, signals: Workspace, workspace: Workspace) -> torch.Tensor:
        """(n_samples, n_channels): what the source adds, less a bias."""
        source = self._noise_conv(score.source[0], partial(signals.take, self._name))
        moments = Moments()
        for piece in pieces_of(source):
            moments.see(piece)
        return self._noise_block(source, moments, score.style, source, workspace)

    def __call__(
        self, x: torch.Tensor, branch: Task[torch.Tensor], style: torch.Tensor, signals: Workspace, start: Start
    ) -> torch.Tensor:
        """`x` (n, n_in), which is of no use afterwards → (n_samples, n_channels); both behind a leaky ReLU."""
        raised, moments = branch.result(), Moments()
        self._up(x, Output(raised, base=raised, seen=moments))
        outs = [signals.take(f"block {i}", *raised.shape) for i in range(len(self._blocks))]
        works = [partial(block, raised, moments, style, out) for block, out in zip(self._blocks, outs, strict=True)]
        # The last, with the longest kernel, is begun first.
        for task in [start(work) for work in reversed(works)][::-1]:
            task.result()
        return self._mean(outs)

    def _mean(self, outs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Of what the blocks gave, in the first one's memory."""
        for total, *others in zip(*map(pieces_of, outs), strict=True):
            for other in others:
                total.add_(other)
            leaky_relu_(torch.add(self._mean_bias, total, alpha=1 / len(outs), out=total), self._slope)
        return outs[0]


class Frames:
    """The part before the generator: half frames from a score."""

    def __init__(self, original: Any) -> None:
        """Takes over the weights of `original`, a `kokoro.istftnet.Decoder`."""
        self._curves = original.F0_conv, original.N_conv
        (aside,) = original.asr_res
        self._aside = WindowedConvolution(aside)
        self._first = StyledBlock(original.encode)
        self._blocks = [StyledBlock(block) for block in original.decode]

    def __call__(self, score: Score) -> torch.Tensor:
        """(2 n_frames, n_channels)"""
        of_frames = zip(self._curves, (score.pitch_hz, score.energy), strict=True)
        curves = [conv(curve.unsqueeze(1))[0].t() for conv, curve in of_frames]
        x = self._first(torch.cat([score.encoded[0].t(), *curves], dim=1), score.style)
        beside = [self._aside(score.encoded[0]), *curves]
        for block in self._blocks:
            # All blocks but those behind the one that doubles the frames see what is said beside what was made of it.
            x = block(torch.cat([x, *beside], dim=1), score.style)
            if block.doubles:
                beside = []
        return x


def restore(spectra: torch.Tensor, n_bins: int, stft: Any) -> torch.Tensor:
    """(1, 2 n_bins, n_steps), logarithms of magnitudes and sines' arguments of angles → (n_samples,)."""
    magnitudes, angles = torch.exp(spectra[:, :n_bins]), torch.sin(spectra[:, n_bins:])
    lengths = stft.filter_length, stft.hop_length, stft.win_length
    # The package multiplies with a complex exponential, which takes seven times as long.
    return torch.istft(torch.polar(magnitudes, angles), *lengths, window=stft.window).flatten()
