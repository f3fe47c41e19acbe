"""What is usual for Kokoro v1.0's voices, from a file of this package; `python -m tests.ears.usual` writes it.

Why a file: it is needed for the first sound of a voice, and measuring it takes some seconds of computing. It is only used for a
voice whose pack is the one that was measured.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from workers.engines.kokoro.kernels.adain import AdaIN
from workers.engines.kokoro.kernels.moments import Moment
from workers.engines.kokoro.model.statistics import Usual, UsualNorms

FILE: Final = Path(__file__).with_name("usual.npz")
_DIGEST_CHARS: Final = 16


class UsualTable:
    """The voices of the file."""

    def __init__(self, path: Path = FILE) -> None:
        with np.load(path) as file:
            self._rows = {name: number for number, name in enumerate(file["voices"].tolist())}
            self._digests: list[str] = file["digests"].tolist()
            self._columns = [file[name] for name in ("means", "deviations", "slopes")]
            self._energies = file["energies"]

    def find(self, voice_id: str, pack: torch.Tensor, norms: Sequence[AdaIN]) -> UsualNorms | None:
        """Returns what is usual for a voice at each of `norms`; None if the file has nothing for this pack and these norms."""
        row = self._rows.get(voice_id)
        widths = [norm.n_channels for norm in norms]
        if row is None or self._digests[row] != digest_of(pack) or sum(widths) != self._columns[0].shape[1]:
            return None
        columns = [torch.from_numpy(column[row].astype(np.float32)).split(widths) for column in self._columns]
        energy = float(self._energies[row])
        return {
            norm: Usual(Moment(1.0, mean, deviation.square()), slope, energy)
            for norm, mean, deviation, slope in zip(norms, *columns, strict=True)
        }


def write_table(path: Path, packs: Mapping[str, torch.Tensor], usual: Mapping[str, UsualNorms], norms: Sequence[AdaIN]) -> None:
    """Writes the file for the voices in `packs`."""
    rows = [[usual[voice_id][norm] for norm in norms] for voice_id in packs]

    def column(part: Callable[[Usual], torch.Tensor]) -> npt.NDArray[np.float16]:
        return np.stack([torch.cat([part(one) for one in row]).numpy() for row in rows]).astype(np.float16)

    np.savez_compressed(
        path,
        voices=np.array(list(packs)),
        digests=np.array([digest_of(pack) for pack in packs.values()]),
        energies=np.array([row[0].energy for row in rows], np.float32),
        means=column(lambda one: one.moment.mean),
        deviations=column(lambda one: one.moment.variance.sqrt()),
        slopes=column(lambda one: one.slope),
    )


def digest_of(pack: torch.Tensor) -> str:
    """Returns 16 hex digits that identify a voice pack."""
    return hashlib.sha256(pack.numpy().tobytes()).hexdigest()[:_DIGEST_CHARS]
