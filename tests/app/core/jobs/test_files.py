"""The files of jobs: complete or absent, in every kind of store."""

import errno
import io
import os
import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.core.errors import SettingsError, StoreFailed, StoreFull
from app.core.jobs.files import Store, file_path, part_path
from app.core.settings import read_settings


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store on the local disk, and a remote one."""
    return Store(str(tmp_path / "store") if request.param == "folder" else f"memory://{tmp_path.name}")


def _write(store: Store, path: str, data: bytes) -> None:
    with store.put(path) as file:
        file.write(data)


def test_a_file_is_read_as_it_was_written(store: Store) -> None:
    data = os.urandom(200_000)
    _write(store, part_path("job_1", 1), data)
    assert store.exists("job_1/parts/00001.pcm")
    assert store.size("job_1/parts/00001.pcm") == len(data)
    with store.open("job_1/parts/00001.pcm") as file:
        assert file.read() == data
        file.seek(1000)
        assert file.read(10) == data[1000:1010]


def test_a_header_can_be_written_last(store: Store) -> None:
    with store.put("a/speech.wav") as file:
        file.write(b"????samples")
        file.seek(0)
        file.write(b"RIFF")
    with store.open("a/speech.wav") as file:
        assert file.read() == b"RIFFsamples"


def test_a_file_appears_only_when_it_is_whole(store: Store) -> None:
    with store.put("a/b") as file:
        file.write(b"half")
        assert not store.exists("a/b")
    assert store.exists("a/b")


def test_a_failure_while_writing_leaves_nothing_and_keeps_what_was_there(store: Store, tmp_path: Path) -> None:
    _write(store, "a/b", b"old")
    with pytest.raises(ZeroDivisionError), store.put("a/b") as file:
        file.write(b"new")
        raise ZeroDivisionError
    with store.open("a/b") as file:
        assert file.read() == b"old"
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {"b"}


def test_a_writer_that_closes_the_file_itself_does_no_harm(store: Store) -> None:
    with store.put("a/b") as file, io.BufferedWriter(file) as writer:
        writer.write(b"whole")
    assert store.size("a/b") == 5


def test_a_missing_file_is_distinguished_from_a_store_that_fails(store: Store) -> None:
    assert not store.exists("a/b")
    with pytest.raises(FileNotFoundError):
        store.open("a/b")
    with pytest.raises(FileNotFoundError):
        store.size("a/b")


def test_a_folder_goes_with_all_that_is_in_it_and_may_go_twice(store: Store) -> None:
    _write(store, part_path("job_1", 1), b"1")
    _write(store, file_path("job_1", "speech.mp3"), b"2")
    _write(store, file_path("job_2", "speech.mp3"), b"3")
    store.delete_folder("job_1")
    store.delete_folder("job_1")
    assert not store.exists("job_1/speech.mp3")
    assert store.exists("job_2/speech.mp3")


def test_a_full_disk_names_the_remedy_and_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(os, "fsync", fail)
    store = Store(str(tmp_path))
    with pytest.raises(StoreFull) as caught:
        _write(store, "a/b", b"data")
    assert "KOE_STORE" in caught.value.message
    assert str(tmp_path) not in caught.value.message
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_file_is_accepted_while_the_disk_keeps_its_reserve_free(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    Store(str(tmp_path / "not" / "yet"), reserve_bytes=free // 2).require_free_space(1)
    for store, n_bytes in ((Store(str(tmp_path)), 2 * free), (Store(str(tmp_path), reserve_bytes=2 * free), 0)):
        with pytest.raises(StoreFull, match="KOE_STORE"):
            store.require_free_space(n_bytes)


def test_a_file_of_a_folder_that_was_deleted_meanwhile_is_no_failure_of_the_store(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with capture_logs() as logs, pytest.raises(FileNotFoundError), store.put("job_1/parts/1") as file:
        file.write(b"data")
        store.delete_folder("job_1")
    assert logs == []
    assert not store.exists("job_1")


def test_a_place_that_cannot_be_written_is_a_store_that_fails(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(StoreFailed):
        _write(Store(str(tmp_path / "store")), "a/b", b"data")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_is_full_while_writing_is_a_store_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = Path.open
    monkeypatch.setattr(Path, "open", lambda path, mode: real_open(Path("/dev/full"), "wb") if mode == "w+b" else None)
    with pytest.raises(StoreFailed), Store(str(tmp_path)).put("a/b") as file:
        shutil.copyfileobj(io.BytesIO(bytes(10_000_000)), file)


def test_the_store_is_a_folder_in_the_data_unless_it_is_named(tmp_path: Path) -> None:
    _write(Store(read_settings({"KOE_DATA": str(tmp_path)}).store_url), "a/b", b"1")
    assert (tmp_path / "store/a/b").read_bytes() == b"1"
    _write(Store(read_settings({"KOE_DATA": str(tmp_path), "KOE_STORE": str(tmp_path / "own")}).store_url), "a/b", b"2")
    assert (tmp_path / "own/a/b").read_bytes() == b"2"


def test_a_store_that_nobody_knows_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="KOE_STORE"):
        Store("nosuch://bucket")


@pytest.mark.parametrize("path", ["../secret", "job/../../secret", "/etc/passwd", "job//secret", ""])
def test_no_path_leads_out_of_the_store(path: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"of somebody else")
    store = Store(str(tmp_path / "store"))
    for reach in (store.open, store.size, store.exists, store.delete_folder):
        with pytest.raises(StoreFailed):
            reach(path)
    with pytest.raises(StoreFailed), store.put(path):
        pass
    assert (tmp_path / "secret").read_bytes() == b"of somebody else"
