"""A certificate for tests of TLS, made on the spot with `openssl`."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

HOST: Final = "localhost"
"""The name in the certificate."""

_COMMAND: Final = (
    f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={HOST} "
    f"-addext subjectAltName=DNS:{HOST}"
)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Makes a certificate that signs itself. Returns its file and its key's. Without `openssl` the test is skipped."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key = folder / "koe.crt", folder / "koe.key"
    subprocess.run([*_COMMAND.split(), "-out", certificate, "-keyout", key], check=True, capture_output=True)
    return certificate, key
