"""The folder `KOE_DATA` is private to this user, and an error about an unusable folder names the setting."""

import os
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.core.errors import Misconfigured
from app.core.storage.data_folder import make_private, prepare_folders


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture(autouse=True)
def usual_umask() -> None:
    os.umask(0o022)


def test_a_folder_that_is_made_and_the_store_in_it_are_this_user_s_alone(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "koe"

    prepare_folders(data, "", holds_queue=True)

    assert mode(data) == 0o700
    assert mode(data / "store") == 0o700


def test_files_that_an_earlier_version_left_readable_are_made_private_and_logged(data: Path) -> None:
    for name in ("appendonlydir", "store", "kokoro"):
        (data / name).mkdir(mode=0o755)
    for name in ("valkey.log", "dump.rdb", "own.txt"):
        (data / name).touch(mode=0o644)
    before = mode(data)

    with capture_logs() as logs:
        prepare_folders(data, "", holds_queue=True)
        prepare_folders(data, "", holds_queue=True)

    assert [mode(data / name) for name in ("appendonlydir", "store", "valkey.log", "dump.rdb")] == [0o700, 0o700, 0o600, 0o600]
    assert [mode(data / name) for name in ("kokoro", "own.txt")] == [0o755, 0o644]
    assert mode(data) == before
    (event,) = logs
    assert sorted(event["names"]) == ["appendonlydir", "dump.rdb", "store", "valkey.log"]


def test_the_target_of_a_link_keeps_its_mode(data: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (data / "store").symlink_to(shared)

    prepare_folders(data, "", holds_queue=True)

    assert mode(shared) == 0o755


@pytest.mark.parametrize("name", ["KOE_DATA", "KOE_STORE"])
def test_the_error_for_a_file_in_place_of_the_folder_names_the_setting(name: str, data: Path) -> None:
    (data / "file").touch()
    folders = {"KOE_DATA": str(data), "KOE_STORE": ""} | {name: str(data / "file")}

    with pytest.raises(Misconfigured, match=rf"^{name} must be a folder .*{data}/file"):
        prepare_folders(Path(folders["KOE_DATA"]), folders["KOE_STORE"], holds_queue=True)


def test_with_a_redis_elsewhere_an_unusable_folder_only_keeps_jobs_from_being_made(data: Path) -> None:
    (data / "file").touch()

    with capture_logs() as logs:
        prepare_folders(data / "file", "", holds_queue=False)

    (event,) = logs
    assert event["event"] == "jobs_cannot_be_kept"
    assert "KOE_DATA" in event["reason"]


def test_a_full_disk_is_no_mistake_of_the_settings(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    def full(**options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.core.storage.data_folder.tempfile.TemporaryFile", full)

    with pytest.raises(OSError, match="No space left"):
        make_private(data, "KOE_DATA")
