"""Speech made slower without lowering its pitch: WSOLA, for speeds that an engine cannot reach by itself.

Why here and not in the encoder: joining needs waveforms of their final length.
"""

from typing import Final

import numpy as np

from workers.engines.base import Samples

_FRAME: Final = 960
"""40 ms at 24 kHz: two periods of a low voice."""
_HOP: Final = _FRAME // 2
_SEARCH: Final = 240
"""How far, either way, a frame may be moved to fit the one before."""


def stretch(samples: Samples, factor: float) -> Samples:
    """`samples` (n,) made `factor` times as long, from 1 to 4; (round(n * factor),). Deterministic."""
    length = round(len(samples) * factor)
    if factor <= 1 or len(samples) < 2 * _FRAME:
        return samples
    padded = np.pad(samples, (_SEARCH + _HOP, _SEARCH + 2 * _FRAME))
    window = np.hanning(_FRAME + 1)[:_FRAME].astype(np.float32)
    out = np.zeros(length + 2 * _FRAME, np.float32)
    place = _SEARCH
    for start in range(0, length + _HOP, _HOP):
        wanted = min(round(start / factor), len(samples) + _HOP) + _SEARCH
        if start:
            place = _best_place(padded, wanted, padded[place + _HOP : place + _HOP + _FRAME])
        out[start : start + _FRAME] += window * padded[place : place + _FRAME]
    return out[_HOP : _HOP + length]


def _best_place(padded: Samples, wanted: int, natural: Samples) -> int:
    """The start within _SEARCH of `wanted` whose frame is most like `natural`, what followed the last one in the original."""
    first = max(0, wanted - _SEARCH)
    region = padded[first : wanted + _SEARCH + _FRAME]
    likeness = np.correlate(region, natural[: len(region)], mode="valid")
    return first + int(np.argmax(likeness))
