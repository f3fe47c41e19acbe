"""The second half of the model on a CPU, from a score to samples: decoder, iSTFTNet generator, inverse transform.

Why our own: nine tenths of the time of a segment are spent in the generator's residual blocks, which are computed by
`workers.engines.kokoro.resblock`; and the branches that do not wait for each other are told to a team.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch.nn.functional import leaky_relu

from workers.engines.kokoro.prosody import Score
from workers.engines.kokoro.resblock import ResBlock
from workers.engines.kokoro.team import Task, Team


class Decoder:
    """What `kokoro.istftnet.Decoder` computes, for one segment at a time. May be used from several threads."""

    def __init__(self, original: Any) -> None:
        """Takes over the weights of `original`, whose weight norms are folded."""
        self._original = original
        generator = original.generator
        self._noise_blocks = [ResBlock(block) for block in generator.noise_res]
        blocks = [ResBlock(block) for block in generator.resblocks]
        n = generator.num_kernels
        self._stages = [blocks[i : i + n] for i in range(0, len(blocks), n)]
        self._n_bins: int = generator.post_n_fft // 2 + 1

    @torch.inference_mode()
    def __call__(self, scores: Sequence[Score], n_threads: int = 1) -> list[torch.Tensor]:
        """The samples of each segment, (n_samples,), float32: the same whatever `n_threads`."""
        return [self._speak(score, n_threads) for score in scores]

    def _speak(self, score: Score, n_threads: int) -> torch.Tensor:
        with Team(n_threads) as team:
            # The last stage's branch is the longest and is needed last: whoever has nothing else to do begins with it.
            stages = range(len(self._stages))
            branches = {stage: team.start(partial(self._branch, stage, score)) for stage in reversed(stages)}
            x = decode(self._original, score)
            for stage in stages:
                x = self._raise(stage, x, branches[stage])
                x = self._mean(x, score.style, self._stages[stage], team)
        return self._finish(x)

    def _branch(self, stage: int, score: Score) -> torch.Tensor:
        """(n_samples, n_channels): what the source adds at a stage."""
        source = self._original.generator.noise_convs[stage](score.source)
        return self._noise_blocks[stage](_rows(source), score.style)

    def _raise(self, stage: int, x: torch.Tensor, branch: Task[torch.Tensor]) -> torch.Tensor:
        """`x` (1, n_channels, n_samples) at the rate and with the channels of a stage, and what the source adds:
        (n_samples, n_channels).
        """
        generator = self._original.generator
        raised = generator.ups[stage](leaky_relu(x, negative_slope=0.1))
        if stage == len(self._stages) - 1:
            raised = generator.reflection_pad(raised)
        return _rows(raised).add_(branch.result())

    @staticmethod
    def _mean(x: torch.Tensor, style: torch.Tensor, blocks: list[ResBlock], team: Team) -> torch.Tensor:
        """Of the blocks' outputs, (1, n_channels, n_samples); the last, with the longest kernel, is begun first."""
        tasks = [team.start(partial(block, x, style)) for block in reversed(blocks)][::-1]
        total = tasks[0].result()
        for task in tasks[1:]:
            total += task.result()
        return total.div_(len(blocks)).t().unsqueeze(0)

    def _finish(self, x: torch.Tensor) -> torch.Tensor:
        generator = self._original.generator
        return restore(generator.conv_post(leaky_relu(x)), self._n_bins, generator.stft)


def _rows(x: torch.Tensor) -> torch.Tensor:
    """(1, n_channels, n_samples) → a copy, (n_samples, n_channels)."""
    return x[0].t().contiguous()


def decode(original: Any, score: Score) -> torch.Tensor:
    """What `kokoro.istftnet.Decoder` hands to its generator: (1, n_channels, 2 n_frames)."""
    curves = [original.F0_conv(score.pitch_hz.unsqueeze(1)), original.N_conv(score.energy.unsqueeze(1))]
    x: torch.Tensor = original.encode(torch.cat([score.encoded, *curves], dim=1), score.style)
    beside = [original.asr_res(score.encoded), *curves]
    for block in original.decode:
        # All blocks but those behind the one that doubles the frames see what is said beside what was made of it.
        if beside:
            x = torch.cat([x, *beside], dim=1)
        x = block(x, score.style)
        if block.upsample_type != "none":
            beside = []
    return x


def restore(spectra: torch.Tensor, n_bins: int, stft: Any) -> torch.Tensor:
    """(1, 2 n_bins, n_steps), logarithms of magnitudes and sines' arguments of angles → (n_samples,)."""
    magnitudes, angles = torch.exp(spectra[:, :n_bins]), torch.sin(spectra[:, n_bins:])
    samples: torch.Tensor = stft.inverse(magnitudes, angles).flatten()
    return samples
