"""Files that are made once and kept for the next run: ONNX files, and random weights if Kokoro's are missing."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

VOICE: Final = "af_heart"


def cache_folder() -> Path:
    """Returns the benchmarks' folder where the platform keeps files that can be made again."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "koe" / "bench"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "koe" / "bench"


def make_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Returns `folder`, made by `make` if it does not exist. It appears whole or not at all, even if the run is interrupted."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
        try:
            make(half)
            half.chmod(0o755)
            half.rename(folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return folder


def read_vocabulary(model_dir: Path) -> dict[str, int]:
    """Returns phoneme → the model's index."""
    vocabulary: dict[str, int] = json.loads((model_dir / "config.json").read_text(encoding="utf-8"))["vocab"]
    return vocabulary
