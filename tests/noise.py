"""The noise of Koe's segments for the model of the `kokoro` package: in a comparison both models draw the same noise."""

from collections.abc import Callable

import torch

from workers.engines.kokoro.model.harmonic_source import draw_noise

_N_HARMONICS = 9


def drawing(digest: bytes) -> Callable[[torch.Tensor], torch.Tensor]:
    """Returns a substitute for `torch.randn_like`: it draws the noise of the segment with this `digest`, and else zeros."""

    def drawn(like: torch.Tensor) -> torch.Tensor:
        if like.shape[-1] != _N_HARMONICS:
            return torch.zeros_like(like)
        return draw_noise(digest, like.shape[1], _N_HARMONICS).unsqueeze(0)

    return drawn
