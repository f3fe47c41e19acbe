"""Voice packs: for each voice, one style for each length of a segment; and blends of packs.

The packs of the checkpoint stay in memory. Those that users have made are limited, since there may be any number of them.
"""

import threading
from collections import OrderedDict
from typing import Final

import numpy as np
import torch

from app.core.errors import InvalidValue
from app.core.speech.voices import CUSTOM_VOICE, Blend, Catalogue
from app.core.weights.files import CheckpointFiles, MissingFile
from workers.engines.base import ReadCustomPack, no_custom_packs
from workers.engines.kokoro.checkpoint import DamagedFile, load_tensor

N_ROWS: Final = 510
STYLE_WIDTH: Final = 256
"""128 numbers for the decoder, then 128 for the prosody."""
MAX_CACHED_BLENDS: Final = 64
"""Most blends that are cached. Each takes half a megabyte."""
MAX_CUSTOM_PACKS: Final = 64
"""Most packs of users that are cached. Each takes half a megabyte."""


class VoicePacks:
    """The packs of a checkpoint. Each is read at its first use. Thread-safe."""

    def __init__(
        self, files: CheckpointFiles, catalogue: Catalogue, read_custom_pack: ReadCustomPack = no_custom_packs
    ) -> None:
        self._files = files
        self._catalogue = catalogue
        self._read_custom_pack = read_custom_pack
        self._custom_packs: OrderedDict[str, torch.Tensor] = OrderedDict()
        self._packs: dict[str, torch.Tensor] = {}
        self._blends: OrderedDict[Blend, torch.Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def any_voice(self) -> str:
        """Returns the id of a voice that has a pack."""
        return next(iter(self._files.voices))

    def style(self, blend: Blend, n_phonemes: int) -> torch.Tensor:
        """Returns the style for a segment of `n_phonemes`, 1 to 510: (1, 256), float32. Raises the errors of `check`."""
        return self.blend(blend)[n_phonemes - 1]

    def blend(self, blend: Blend) -> torch.Tensor:
        """Returns the weighted sum of the packs: (510, 1, 256), float32. Raises the errors of `check`."""
        with self._lock:
            if blend not in self._blends:
                self._blends[blend] = sum(
                    (part.weight * self._pack(part.voice_id) for part in blend), torch.zeros(N_ROWS, 1, STYLE_WIDTH)
                )
            self._blends.move_to_end(blend)
            if len(self._blends) > MAX_CACHED_BLENDS:
                self._blends.popitem(last=False)
            return self._blends[blend]

    def check(self, blend: Blend) -> None:
        """Reads the packs of `blend`. Raises InvalidValue for an unknown voice, MissingFile or DamagedFile for its pack."""
        self.blend(blend)

    def pack(self, voice_id: str) -> torch.Tensor:
        """Returns the pack of a voice: (510, 1, 256), float32. Raises the errors of `check`."""
        with self._lock:
            return self._pack(voice_id)

    def _pack(self, voice_id: str) -> torch.Tensor:
        if CUSTOM_VOICE.fullmatch(voice_id):
            return self._custom_pack(voice_id)
        if voice_id not in self._packs:
            self._packs[voice_id] = self._read(voice_id)
        return self._packs[voice_id]

    def _custom_pack(self, voice_id: str) -> torch.Tensor:
        if voice_id not in self._custom_packs:
            numbers = np.frombuffer(self._read_custom_pack(voice_id), "<f4").astype(np.float32)
            self._custom_packs[voice_id] = torch.from_numpy(numbers).reshape(N_ROWS, 1, STYLE_WIDTH)
        self._custom_packs.move_to_end(voice_id)
        if len(self._custom_packs) > MAX_CUSTOM_PACKS:
            self._custom_packs.popitem(last=False)
        return self._custom_packs[voice_id]

    def _read(self, voice_id: str) -> torch.Tensor:
        path = self._files.voices.get(voice_id)
        if path is None and voice_id in self._catalogue.voices:
            raise MissingFile(f"voices/{voice_id}.pt", self._files.place)
        if path is None:
            raise InvalidValue(f"Invalid value: '{voice_id}' is not a voice of this server.", param="voice")
        pack = load_tensor(path)
        if not isinstance(pack, torch.Tensor) or pack.shape != (N_ROWS, 1, STYLE_WIDTH) or pack.dtype != torch.float32:
            raise DamagedFile(path, f"it is no float32 tensor of ({N_ROWS}, 1, {STYLE_WIDTH})")
        if not torch.isfinite(pack).all():
            raise DamagedFile(path, "it holds numbers that are not finite")
        return pack
