"""The model's two encoders of phonemes beside ALBERT: one for durations and pitch, one for the decoder.

Why not the package's: it packs and pads sequences of one length, and its LSTMs change the order of their weights in each call.
The duration encoder keeps every bit, since pitch depends on it. The text encoder only feeds the decoder, so its convolutions
are products of rows, which take half of the time for a word.
"""

from typing import Any

import torch
from torch.nn.functional import layer_norm, leaky_relu_

from workers.engines.kokoro.kernels.lstm import BiLstm
from workers.engines.kokoro.kernels.matrices import Precision
from workers.engines.kokoro.kernels.strided import WindowedConvolution
from workers.engines.kokoro.kernels.threads import Team


class DurationEncoder:
    """Computes `kokoro.modules.DurationEncoder`, to the last bit: LSTMs, and norms that depend on the style."""

    def __init__(self, original: Any) -> None:
        """Takes over the weights of `original`."""
        self._layers = [(BiLstm(lstm), norm) for lstm, norm in zip(original.lstms[::2], original.lstms[1::2], strict=True)]

    def __call__(self, hidden: torch.Tensor, style: torch.Tensor, team: Team) -> torch.Tensor:
        """`hidden` (n_tokens, n_channels), `style` (1, style_width) → (n_tokens, n_channels + style_width)."""
        styles = style.expand(len(hidden), -1)
        states = torch.cat([hidden, styles], dim=1)
        for lstm, norm in self._layers:
            gamma, beta = norm.fc(style).chunk(2, dim=1)
            normed = layer_norm(lstm(states, team), (norm.channels,), eps=norm.eps)
            states = torch.cat([normed.mul_(1 + gamma).add_(beta), styles], dim=1)
        return states


class TextEncoder:
    """Computes `kokoro.modules.TextEncoder`: convolutions and an LSTM."""

    def __init__(self, original: Any, precision: Precision = "float32") -> None:
        """Takes over the weights of `original`, which is unusable afterwards. `precision`: of its prepared weights."""
        self._embedding, self._lstm = original.embedding, BiLstm(original.lstm)
        self._layers = [(_take_over(conv, precision), norm, activation) for conv, norm, activation, _ in original.cnn]

    def __call__(self, ids: torch.Tensor, team: Team) -> torch.Tensor:
        """`ids` (n_tokens,) → (n_tokens, n_channels)."""
        x = self._embedding(ids)
        for convolution, norm, activation in self._layers:
            normed = layer_norm(convolution(x.t()), (norm.channels,), norm.gamma, norm.beta, norm.eps)
            x = leaky_relu_(normed, activation.negative_slope)
        return self._lstm(x, team)


def _take_over(original: torch.nn.Conv1d, precision: Precision) -> WindowedConvolution:
    conv = WindowedConvolution(original, precision)
    original.weight.data = torch.empty(0)
    return conv
