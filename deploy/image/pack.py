"""Compresses Kokoro's 8-bit weights in `KOE_MODEL_DIR`: from 327 MB to 116 MB, for two seconds more at each start.

Nothing is lost: PyTorch writes a zip archive without compression and reads one with it. The file has another digest then, so
its cached audio is not that of a worker outside of an image.
"""

import os
import zipfile
from pathlib import Path


def main() -> None:
    """Replaces the file."""
    for weights in Path(os.environ["KOE_MODEL_DIR"]).glob("*.pth"):
        packed = weights.with_suffix(".packed")
        with zipfile.ZipFile(weights) as plain, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as small:
            for entry in plain.infolist():
                small.writestr(entry.filename, plain.read(entry))
        packed.replace(weights)


if __name__ == "__main__":
    main()
