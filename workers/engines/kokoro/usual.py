"""The usual moments of Kokoro v1.0's voices, from a file of this package; `python -m tests.ears.usual` writes it.

Why a file: they are needed for the first sound of a voice, and measuring them takes a second of computing. They are only used
for a voice whose pack is the one that was measured.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch

from workers.engines.kokoro.kernels.adain import AdaIN
from workers.engines.kokoro.kernels.moments import Moment
from workers.engines.kokoro.model.statistics import Usual

FILE: Final = Path(__file__).with_name("usual.npz")
_DIGEST_CHARS: Final = 16


class UsualTable:
    """The voices of the file."""

    def __init__(self, path: Path = FILE) -> None:
        with np.load(path) as file:
            self._rows = {name: number for number, name in enumerate(file["voices"].tolist())}
            self._digests: list[str] = file["digests"].tolist()
            self._means, self._deviations = file["means"], file["deviations"]

    def find(self, voice_id: str, pack: torch.Tensor, norms: Sequence[AdaIN]) -> Usual | None:
        """Returns the moments of a voice at each of `norms`; None if the file has none for this pack and these norms."""
        row = self._rows.get(voice_id)
        widths = [norm.n_channels for norm in norms]
        if row is None or self._digests[row] != digest_of(pack) or sum(widths) != self._means.shape[1]:
            return None
        means = torch.from_numpy(self._means[row].astype(np.float32)).split(widths)
        deviations = torch.from_numpy(self._deviations[row].astype(np.float32)).split(widths)
        return {
            norm: Moment(1.0, *parts) for norm, *parts in zip(norms, means, (one.square() for one in deviations), strict=True)
        }


def write_table(path: Path, packs: Mapping[str, torch.Tensor], usual: Mapping[str, Usual], norms: Sequence[AdaIN]) -> None:
    """Writes the file for the voices in `packs`."""
    means = [torch.cat([usual[voice_id][norm].mean for norm in norms]).numpy() for voice_id in packs]
    variances = [torch.cat([usual[voice_id][norm].variance for norm in norms]).numpy() for voice_id in packs]
    np.savez_compressed(
        path,
        voices=np.array(list(packs)),
        digests=np.array([digest_of(pack) for pack in packs.values()]),
        means=np.stack(means).astype(np.float16),
        deviations=np.sqrt(np.stack(variances)).astype(np.float16),
    )


def digest_of(pack: torch.Tensor) -> str:
    """Returns 16 hex digits that identify a voice pack."""
    return hashlib.sha256(pack.numpy().tobytes()).hexdigest()[:_DIGEST_CHARS]
