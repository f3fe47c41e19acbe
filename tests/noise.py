"""The noise of Koe's segments, for the package's model: whoever compares the two has both draw the same."""

from collections.abc import Callable

import torch

from workers.engines.kokoro.model.harmonic_source import draw_noise

_N_HARMONICS = 9


def drawing(digest: bytes) -> Callable[[torch.Tensor], torch.Tensor]:
    """What stands for `torch.randn_like`: the noise of the segment that `digest` names, and silence for all other draws."""

    def drawn(like: torch.Tensor) -> torch.Tensor:
        if like.shape[-1] != _N_HARMONICS:
            return torch.zeros_like(like)
        return draw_noise(digest, like.shape[1], _N_HARMONICS).unsqueeze(0)

    return drawn
