"""A bidirectional LSTM that keeps its weights in oneDNN's order.

Why not `torch.nn.LSTM`: it calls the same oneDNN, but changes the order of the weights in each call. For a word that takes
longer than the LSTM. The directions are independent, so two threads can compute them.
"""

from functools import partial
from typing import Final

import torch

from workers.engines.kokoro.kernels.threads import Team

_MODE: Final = 2
"""PyTorch's number of the LSTM."""


class BiLstm:
    """Computes a `torch.nn.LSTM` of one layer and both directions, to the last bit. Thread-safe."""

    def __init__(self, original: torch.nn.LSTM) -> None:
        """Takes over the weights of `original`, which is unusable afterwards."""
        assert original.bidirectional
        assert original.num_layers == 1
        self._original = None if torch.backends.mkldnn.is_available() else original
        self._directions = [] if self._original else [_Direction(original, is_reverse=reverse) for reverse in (False, True)]

    def __call__(self, x: torch.Tensor, team: Team) -> torch.Tensor:
        """(n, n_in) → (n, 2 n_hidden)."""
        if self._original is not None:
            out: torch.Tensor = self._original(x.unsqueeze(0))[0][0]
            return out
        return torch.cat(team.run([partial(direction, x) for direction in self._directions]), dim=1)


class _Direction:
    def __init__(self, original: torch.nn.LSTM, *, is_reverse: bool) -> None:
        suffix = "l0_reverse" if is_reverse else "l0"
        names = [f"{name}_{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        of_input, of_hidden, *self._biases = (getattr(original, name).detach() for name in names)
        self._n_hidden, self._is_reverse = original.hidden_size, is_reverse
        self._weights: list[torch.Tensor] = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight(
            of_input,
            of_hidden,
            self._n_hidden,
            reverse=is_reverse,
            has_biases=True,
            batch_first=False,
            input_size=[1, 1, original.input_size],
        )
        for name in names[:2]:
            getattr(original, name).data = torch.empty(0)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        start = torch.zeros(1, 1, self._n_hidden)
        out, *_ = torch.ops.aten.mkldnn_rnn_layer(
            x.unsqueeze(1),
            *self._weights,
            *self._biases,
            start,
            start,
            reverse=self._is_reverse,
            batch_sizes=[],
            mode=_MODE,
            hidden_size=self._n_hidden,
            num_layers=1,
            has_biases=True,
            bidirectional=False,
            batch_first=False,
            train=False,
        )
        hidden: torch.Tensor = out.squeeze(1)
        return hidden
