"""The second half of the model on a CPU, from a score to samples: decoder, iSTFTNet generator, inverse transform.

Why not the package's: a segment spends nine tenths of its time in the generator's residual blocks, and
`workers.engines.kokoro.kernels.resblock` computes them faster. Independent branches run in parallel, on the threads of a team.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any, Final

import torch
from torch.nn.functional import leaky_relu_

from workers.engines.kokoro.kernels.adain import AdaIN
from workers.engines.kokoro.kernels.matrices import Precision
from workers.engines.kokoro.kernels.moments import Norms, Run
from workers.engines.kokoro.kernels.resblock import ResBlock
from workers.engines.kokoro.kernels.strided import NarrowConvolution, Upsampling, WindowedConvolution
from workers.engines.kokoro.kernels.styled import StyledBlock
from workers.engines.kokoro.kernels.threads import Task, Team, stay
from workers.engines.kokoro.kernels.workspace import Output, Workspace, Workspaces, pieces_of
from workers.engines.kokoro.model.extent import energy_of, find_extent, whole
from workers.engines.kokoro.model.pieces import Pieces
from workers.engines.kokoro.model.prosody import Score
from workers.engines.kokoro.model.statistics import Habits, Survey, UsualNorms, habits_of, usual_of

_SLOPE: Final = 0.1
"""Slope of the leaky ReLU before a stage."""
_LAST_SLOPE: Final = 0.01
"""Slope of the leaky ReLU after the last stage."""


class Decoder:
    """Computes what `kokoro.istftnet.Decoder` computes, for one segment at a time. Thread-safe."""

    def __init__(self, original: Any, precision: Precision = "float32") -> None:
        """Takes over the weights of `original`, whose weight norms must be folded. `precision`: of its prepared weights."""
        self._frames, self._generator = Frames(original, precision), Generator(original.generator, precision)
        self._habits: Habits | None = None

    @torch.inference_mode()
    def __call__(self, scores: Sequence[Score], n_threads: int = 1, give_way: Callable[[], None] = stay) -> list[torch.Tensor]:
        """Returns the samples of each segment, (n_samples,), float32. They do not depend on `n_threads`.

        `give_way` is called in this thread between the steps. It may speak another segment, or raise an error.
        """
        return [torch.cat(list(self.in_pieces(score, (), None, n_threads, give_way))) for score in scores]

    @torch.inference_mode()
    def in_pieces(
        self,
        score: Score,
        ends: Sequence[int],
        usual: UsualNorms | None,
        n_threads: int = 1,
        give_way: Callable[[], None] = stay,
    ) -> Iterator[torch.Tensor]:
        """Yields the samples of a segment from its beginning, piece by piece.

        A piece ends about at each of `ends`, in audible frames, where the voice is soft. `usual`: what is usual for the voice.
        """
        extent = find_extent(score) if self._habits else whole(score)

        def generate(rows: Callable[[], torch.Tensor], source: torch.Tensor, norms: Norms) -> torch.Tensor:
            return self._generator(rows, source, score.style, norms, n_threads, give_way)

        half_frames = cache(partial(self._frames, score))
        yield from Pieces(generate, score, half_frames, extent, self._habits or {}, usual).speak(ends)

    @property
    def norms(self) -> list[AdaIN]:
        """The generator's norms, in a fixed order."""
        return self._generator.norms

    @property
    def has_learned(self) -> bool:
        """Whether the habits are known. Until then, all frames of every segment are computed."""
        return self._habits is not None

    def learn(self, score: Score, n_threads: int = 1) -> None:
        """Measures the habits in a segment that is computed whole."""
        self._habits = habits_of(self._survey(score, find_extent(score).survey(), n_threads))

    def usual(self, scores: Sequence[Score], n_threads: int = 1) -> UsualNorms:
        """Returns what is usual for a voice, from segments that are computed whole."""
        return usual_of(
            [(self._survey(score, find_extent(score).frame_survey(), n_threads), energy_of(score)) for score in scores]
        )

    @torch.inference_mode()
    def _survey(self, score: Score, runs: Sequence[Run], n_threads: int) -> Survey:
        survey = Survey(runs)
        self._generator(partial(self._frames, score), score.source, score.style, survey, n_threads)
        return survey


class Generator:
    """Computes what `kokoro.istftnet.Generator` computes. Thread-safe."""

    def __init__(self, original: Any, precision: Precision) -> None:
        """Takes over the weights of `original`."""
        n_stages, n = len(original.ups), original.num_kernels
        self._stages = [
            Stage(
                original.noise_convs[i],
                original.noise_res[i],
                original.ups[i],
                original.resblocks[i * n : (i + 1) * n],
                precision,
                is_last=i == n_stages - 1,
                name=f"raised {i}",
            )
            for i in range(n_stages)
        ]
        self._post = NarrowConvolution(original.conv_post)
        self._n_bins: int = original.post_n_fft // 2 + 1
        self._stft = original.stft
        self._workspaces, self._signals = Workspaces(), Workspaces()
        self.norms = [norm for stage in self._stages for norm in stage.norms]
        """All norms that measure a signal of their own, in a fixed order."""

    def __call__(
        self,
        half_frames: Callable[[], torch.Tensor],
        source: torch.Tensor,
        style: torch.Tensor,
        norms: Norms,
        n_threads: int = 1,
        give_way: Callable[[], None] = stay,
    ) -> torch.Tensor:
        """Returns the samples for `half_frames` (2 n_frames, n_channels), which are computed here and overwritten.

        `source` (1, 2 n_bins, n_steps): the source's spectrum in these frames. `style` (1, style_width).
        """
        mine = threading.get_ident()
        with self._signals.lend() as signals, Team(n_threads) as team:

            def start(work: Callable[[Workspace], torch.Tensor]) -> Task[torch.Tensor]:
                return team.start(lambda: self._work(work, give_way if threading.get_ident() == mine else stay))

            # The last stage's branch is the longest and is needed last, so idle threads begin with it.
            branches = [start(partial(stage.branch, source, style, norms, signals)) for stage in reversed(self._stages)][::-1]
            x = leaky_relu_(half_frames(), _SLOPE)
            for stage, branch in zip(self._stages, branches, strict=True):
                x = stage(x, branch, style, norms, signals, start, n_threads)
            spectra = self._post(x).t().unsqueeze(0)
        return restore(spectra, self._n_bins, self._stft)

    def _work(self, work: Callable[[Workspace], torch.Tensor], give_way: Callable[[], None]) -> torch.Tensor:
        with self._workspaces.lend(give_way) as workspace:
            return work(workspace)


Start = Callable[[Callable[[Workspace], torch.Tensor]], Task[torch.Tensor]]
"""Starts a computation on a free thread, with its own workspace."""


class Stage:
    """One upsampling stage: the source's branch, the upsampled signal, and the mean of three residual blocks."""

    def __init__(
        self,
        noise_conv: Any,
        noise_block: Any,
        up: Any,
        blocks: Sequence[Any],
        precision: Precision,
        *,
        is_last: bool,
        name: str,
    ) -> None:
        """Takes over the weights of these modules. `name`: the name of its upsampled signal's memory, unique to this stage."""
        self._noise_conv, self._noise_block = WindowedConvolution(noise_conv), ResBlock(noise_block, precision)
        self._up = Upsampling(up, up.bias.detach() + self._noise_block.bias, is_reflected=is_last, precision=precision)
        self._blocks = [ResBlock(block, precision) for block in blocks]
        self._mean_bias = torch.stack([block.bias for block in self._blocks]).mean(0)
        self._slope, self._name = _LAST_SLOPE if is_last else _SLOPE, name
        self._dtype = torch.float32 if precision == "float32" else torch.float16
        # All blocks read the same signal.
        self.norms = [
            *self._noise_block.norms,
            self._blocks[0].norms[0],
            *(n for block in self._blocks for n in block.norms[1:]),
        ]

    def branch(
        self, source: torch.Tensor, style: torch.Tensor, norms: Norms, signals: Workspace, workspace: Workspace
    ) -> torch.Tensor:
        """Returns the contribution of `source` (1, 2 n_bins, n_steps) without a bias, (n_samples, n_channels)."""
        x = signals.take(self._name, *self._noise_conv.shape(source[0]), dtype=self._dtype)
        moments = norms.moments(self._noise_block.norms[0], len(x))
        self._noise_conv.write(source[0], Output(x, seen=moments))
        return self._noise_block(x, moments, style, x, workspace, norms)

    def __call__(
        self,
        x: torch.Tensor,
        branch: Task[torch.Tensor],
        style: torch.Tensor,
        norms: Norms,
        signals: Workspace,
        start: Start,
        n_threads: int,
    ) -> torch.Tensor:
        """`x` (n, n_in) → (n_samples, n_channels); both after a leaky ReLU. `x` must not be used afterwards."""
        raised = branch.result()
        moments = norms.moments(self._blocks[0].norms[0], len(raised))
        self._up(x, Output(raised, base=raised, seen=moments))
        # Several threads read them.
        moments.result()
        # One thread computes the blocks one after the other, so that they share their memory.
        n_places = len(self._blocks) if n_threads > 1 else 2
        outs = [
            signals.take(f"block {min(i, n_places - 1)}", *raised.shape, dtype=raised.dtype) for i in range(len(self._blocks))
        ]
        blocks = zip(self._blocks, outs, strict=True)
        works = [partial(block, raised, moments, style, out, norms=norms) for block, out in blocks]
        # The last block has the longest kernel, so it starts first.
        tasks = [start(work) for work in reversed(works)][::-1]
        total = tasks[0].result()
        for task in tasks[1:]:
            _add(total, task.result())
        return self._mean(total)

    def _mean(self, total: torch.Tensor) -> torch.Tensor:
        """Turns the sum of the blocks' outputs into their mean."""
        for piece in pieces_of(total):
            leaky_relu_(torch.add(self._mean_bias, piece, alpha=1 / len(self._blocks), out=piece), self._slope)
        return total


def _add(total: torch.Tensor, other: torch.Tensor) -> None:
    for piece, part in zip(pieces_of(total), pieces_of(other), strict=True):
        piece.add_(part)


class Frames:
    """The part of the decoder before the generator: computes half frames from a score."""

    def __init__(self, original: Any, precision: Precision) -> None:
        """Takes over the weights of `original`, a `kokoro.istftnet.Decoder`."""
        self._curves = original.F0_conv, original.N_conv
        (aside,) = original.asr_res
        self._aside = WindowedConvolution(aside)
        self._first = StyledBlock(original.encode, precision)
        self._blocks = [StyledBlock(block, precision) for block in original.decode]

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
