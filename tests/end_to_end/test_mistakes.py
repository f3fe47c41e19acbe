"""A mistake that only a person can correct ends Koe's processes with one sentence and status 78; they do not retry for ever."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.processes import SERVE, WORKER, Process, running

API = [sys.executable, "-m", "app.cli", "api"]
WRONG_SETTINGS = {
    "a value": ({"KOE_PORT": "many"}, "KOE_PORT"),
    "a name": ({"KOE_PROT": "8000"}, "KOE_PROT"),
    "a file": ({"KOE_LEXICON": "/nowhere/lexicon.toml"}, "KOE_LEXICON"),
    "voices": ({"KOE_VOICES_FILE": "/nowhere/voices.toml"}, "KOE_VOICES_FILE"),
    "a store": ({"KOE_STORE": "nosuch://bucket"}, "KOE_STORE"),
}


def ended(command: list[str], data: Path, **environ: str) -> tuple[int, str]:
    """Runs a process until it ends by itself. Returns its exit status and its output."""
    settings = {"KOE_DATA": str(data), "KOE_PORT": "0", "KOE_LOG_FORMAT": "json"}
    with running(Process(command, data.with_name(f"{data.name}.log"), **settings | environ)) as process:
        return process.wait(), process.said


def sentences(said: str) -> list[str]:
    """Returns the lines for people; lines of the log are JSON."""
    return [line for line in said.splitlines() if not line.startswith("{")]


@pytest.mark.parametrize("command", [SERVE, API], ids=["serve", "api"])
@pytest.mark.parametrize("mistake", WRONG_SETTINGS)
def test_a_wrong_setting_ends_with_one_sentence_that_names_it(command: list[str], mistake: str, data: Path) -> None:
    environ, name = WRONG_SETTINGS[mistake]
    status, said = ended(command, data, **environ)

    assert status == 78
    (sentence,) = sentences(said)
    assert sentence.startswith("Error: ")
    assert name in sentence


@pytest.mark.parametrize("command", [SERVE, API, WORKER], ids=["serve", "api", "worker"])
def test_the_error_for_an_unusable_folder_names_the_setting(command: list[str], data: Path) -> None:
    (data / "file").touch()
    status, said = ended(command, data, KOE_DATA=str(data / "file" / "koe"), KOE_ENGINE="tone")

    assert status == 78
    (sentence,) = sentences(said)
    assert "KOE_DATA must be a folder" in sentence
    assert str(data / "file") in sentence


@pytest.mark.parametrize("home", ["/dev/null", "/proc"])
def test_the_error_for_a_user_without_a_home_names_the_setting(home: str, data: Path) -> None:
    status, said = ended(SERVE, data, KOE_DATA="", XDG_DATA_HOME="", HOME=home, KOE_ENGINE="tone")

    assert status == 78
    (sentence,) = sentences(said)
    assert f"KOE_DATA must be a folder that this user ({os.getuid()}) can write to" in sentence


AS_NOBODY = ["unshare", "--user", "--map-user=54321", "--map-group=54321", "env", "-u", "HOME", "-u", "XDG_DATA_HOME"]
"""Prefix that runs a command in a user namespace, as a user id without an entry in any list of users."""


@pytest.mark.skipif(
    subprocess.run([*AS_NOBODY, "true"], capture_output=True, check=False).returncode != 0, reason="needs user namespaces"
)
def test_a_user_without_a_passwd_entry_is_served_where_there_is_a_folder(data: Path) -> None:
    settings = {"KOE_DATA": str(data), "KOE_PORT": "0", "KOE_LOG_FORMAT": "json", "KOE_ENGINE": "auto"}
    with running(Process([*AS_NOBODY, *SERVE], data.with_name(f"{data.name}.log"), **settings)) as served:
        served.wait_said("worker_started")
        assert "Traceback" not in served.said


@pytest.mark.parametrize("command", [SERVE, WORKER], ids=["serve", "worker"])
def test_an_encoder_that_cannot_be_run_ends_it(command: list[str], data: Path) -> None:
    status, said = ended(command, data, KOE_FFMPEG="/nowhere/ffmpeg", KOE_ENGINE="tone")

    assert status == 78
    (sentence,) = sentences(said)
    assert "KOE_FFMPEG" in sentence


@pytest.mark.parametrize("command", [SERVE, WORKER], ids=["serve", "worker"])
def test_missing_files_of_a_voice_that_is_asked_for_by_name_end_it(command: list[str], data: Path, tmp_path: Path) -> None:
    status, said = ended(command, data, KOE_ENGINE="kokoro", KOE_MODEL_DIR=str(tmp_path))

    assert status == 78
    (sentence,) = sentences(said)
    assert "koe fetch" in sentence


@pytest.mark.parametrize("command", [SERVE, WORKER], ids=["serve", "worker"])
@pytest.mark.parametrize("device", ["cudaa", "meta"])
def test_the_error_for_a_missing_device_names_the_existing_ones(
    command: list[str], device: str, data: Path, checkpoint: Path
) -> None:
    environ = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": str(checkpoint), "KOE_DEVICE": device}
    status, said = ended(command, data, **environ)

    assert status == 78
    (sentence,) = sentences(said)
    assert f"KOE_DEVICE: '{device}'" in sentence
    assert "cpu, or auto" in sentence


CONTENTS = {
    "a folder": None,
    "no UTF-8": b"\xff\xfe\x00K\x00o",
    "no TOML": b"[[voices\n",
    "another shape": b'[[voices]]\nid = 7\n[[keys]]\nname = 7\n["not a language"]\nkoe = ["k"]\n',
}


@pytest.mark.parametrize("name", ["KOE_LEXICON", "KOE_VOICES_FILE", "KOE_API_KEYS_FILE"])
@pytest.mark.parametrize("content", CONTENTS)
def test_the_error_for_an_unusable_file_names_its_setting_and_its_path(name: str, content: str, data: Path) -> None:
    file = data / "wrong.toml"
    if (written := CONTENTS[content]) is None:
        file.mkdir()
    else:
        file.write_bytes(written)
    status, said = ended(SERVE, data, **{name: str(file)})

    assert status == 78
    (sentence,) = sentences(said)
    assert sentence.startswith(f"Error: {name}: ")
    assert str(file) in sentence
    assert len(sentence) < 300
