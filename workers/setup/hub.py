"""Downloads Kokoro's original files from the Hugging Face Hub.

Why huggingface_hub: it resumes interrupted downloads, and has a cache that other programs share. Why a probe comes first: if
the Hub cannot be reached, huggingface_hub retries for half a minute. Why the weights are downloaded last: as soon as they are
present, the loader prefers the originals, so all other files must be present too.
"""

import errno
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from huggingface_hub import constants, hf_hub_download
from huggingface_hub.utils import disable_progress_bars

from workers.engines.kokoro.names import CONFIG, REPOSITORY, WEIGHTS, WEIGHTS_8BIT
from workers.setup import notice
from workers.setup.downloads import sha256_of
from workers.setup.errors import SourceFailed, WrongFile
from workers.setup.folder import find, missing, remove_8bit, voice_file
from workers.setup.notice import Origin
from workers.setup.progress import Meter
from workers.setup.reach import Probe
from workers.setup.sources import HubFiles

NAME: Final = "the Hugging Face Hub"


class Hub:
    """Fetches the Hub's files that are missing in `model_dir`, or in the Hub's cache if `model_dir` is None."""

    name = NAME

    def __init__(self, files: HubFiles, *, model_dir: Path | None, fetched_dir: Path, voice_ids: Iterable[str]) -> None:
        self._files = files
        self._model_dir = model_dir
        self._fetched_dir = fetched_dir
        self._voice_ids = tuple(voice_ids)
        self.missing = missing(model_dir, (CONFIG, *map(voice_file, self._voice_ids), WEIGHTS))
        is_needed = bool(self.missing) and not constants.is_offline_mode()
        self._probe = Probe(f"{constants.ENDPOINT}/{REPOSITORY}/resolve/main/{WEIGHTS}") if is_needed else None

    @property
    def has_work(self) -> bool:
        """Whether a file is missing or 8-bit weights must be replaced."""
        return bool(self.missing) or self._replaced.exists()

    @property
    def _replaced(self) -> Path:
        return (self._model_dir or self._fetched_dir) / WEIGHTS_8BIT

    @property
    def n_bytes(self) -> int:
        """Bytes to download."""
        n_voices = sum(name.startswith("voices/") for name in self.missing)
        return n_voices * self._files.voice_bytes + (WEIGHTS in self.missing) * self._files.weights_bytes

    def check(self) -> None:
        """Raises SourceFailed if a file is missing and the Hub cannot be reached."""
        if not self.missing:
            return
        failure = self._probe.failure() if self._probe else "HF_HUB_OFFLINE is set"
        if failure:
            raise SourceFailed(NAME, failure)

    def fetch(self, meter: Meter) -> list[Origin]:
        """Downloads the missing files, verifies the weights, and deletes the 8-bit weights that they replace."""
        disable_progress_bars()
        small = [name for name in self.missing if name != WEIGHTS]
        if small:
            with meter.step(f"{len(small)} small files", self.n_bytes - self._weights_bytes(), self._partial_folder):
                for name in small:
                    self._download(name)
        if WEIGHTS in self.missing:
            with meter.step(WEIGHTS, self._weights_bytes(), self._partial_folder):
                self._download(WEIGHTS)
        self._verify()
        remove_8bit(self._model_dir, self._fetched_dir, self._voice_ids)
        return self._list_origins()

    def _weights_bytes(self) -> int:
        return self._files.weights_bytes if WEIGHTS in self.missing else 0

    @property
    def _partial_folder(self) -> Path:
        """The folder that the downloads are written to."""
        return self._model_dir or Path(constants.HF_HUB_CACHE) / f"models--{REPOSITORY.replace('/', '--')}"

    def _download(self, name: str) -> None:
        try:
            hf_hub_download(REPOSITORY, name, local_dir=self._model_dir)
        except Exception as error:  # third party: the client raises its own errors, its HTTP library's and OSError
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            raise SourceFailed(f"{name} from {NAME}", type(error).__name__) from error

    def _verify(self) -> None:
        """Checks weights that are new or replace 8-bit weights. Weights that the operator supplied are not checked."""
        weights = find(self._model_dir, WEIGHTS)
        if weights is None or (WEIGHTS not in self.missing and not self._replaced.exists()):
            return
        if sha256_of(weights) != self._files.weights_sha256:
            weights.resolve().unlink()
            weights.unlink(missing_ok=True)
            raise WrongFile(WEIGHTS)

    def _list_origins(self) -> list[Origin]:
        origins = [notice.from_hub([name]) for name in self.missing if not name.startswith("voices/")]
        if voices := [name for name in self.missing if name.startswith("voices/")]:
            origins.append(notice.from_hub(voices))
        if self._model_dir is not None:
            notice.write(self._model_dir, origins)
        return origins
