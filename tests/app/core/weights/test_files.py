"""Kokoro's files, found without any package of the workers, in the places of `huggingface_hub`; a complete set comes first."""

from collections.abc import Sequence
from pathlib import Path

import huggingface_hub
import pytest

from app.core.settings import Settings, read_settings
from app.core.weights.files import CONFIG, REPOSITORY, WEIGHTS, WEIGHTS_8BIT, MissingFile, find_checkpoint
from app.core.weights.watch import LOOK_SECONDS, REST_SECONDS, ModelWatch, find_complete_checkpoint

VOICES = ("af_heart", "af_bella", "bf_emma")


def a_set(folder: Path, weights: str = WEIGHTS, voices: Sequence[str] = VOICES) -> Path:
    """A set of empty files."""
    for name in (CONFIG, weights, *(f"voices/{voice_id}.pt" for voice_id in voices)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the newest revision in the Hub's cache; it does not exist yet."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / "models--hexgrad--Kokoro-82M"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc123")
    return repository / "snapshots" / "abc123"


def test_the_fetched_folder_is_taken_where_the_hub_s_cache_has_nothing(hub: Path, tmp_path: Path) -> None:
    a_set(tmp_path / "fetched", WEIGHTS_8BIT)

    found = find_checkpoint(None, VOICES, tmp_path / "fetched")

    assert (found.precision, found.place) == ("8-bit", str(tmp_path / "fetched"))


def test_the_hub_s_set_goes_first_once_it_has_as_many_voices(hub: Path, tmp_path: Path) -> None:
    a_set(tmp_path / "fetched", WEIGHTS_8BIT)
    a_set(hub, voices=VOICES[:2])
    half = find_checkpoint(None, VOICES, tmp_path / "fetched")
    a_set(hub)
    whole = find_checkpoint(None, VOICES, tmp_path / "fetched")

    assert (half.precision, whole.precision) == ("8-bit", "original")


def test_a_folder_of_one_s_own_is_the_only_place(hub: Path, tmp_path: Path) -> None:
    a_set(hub)

    with pytest.raises(MissingFile, match="own"):
        find_checkpoint(tmp_path / "own", VOICES, tmp_path / "fetched")


def test_original_weights_go_before_8_bit_ones_in_the_same_folder(tmp_path: Path) -> None:
    a_set(a_set(tmp_path, WEIGHTS_8BIT), WEIGHTS)

    assert find_checkpoint(tmp_path, VOICES).precision == "original"


CACHES: list[dict[str, str]] = [
    {},
    {"XDG_CACHE_HOME": "{}/xdg"},
    {"HF_HOME": "{}/home"},
    {"HF_HOME": "~/home", "HUGGINGFACE_HUB_CACHE": "{}/older"},
    {"HF_HUB_CACHE": "$HOME/newest", "HF_HOME": "{}/home"},
]


@pytest.mark.parametrize("environ", CACHES, ids=lambda environ: "+".join(environ) or "default")
def test_the_hub_s_cache_is_where_its_own_package_looks(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HOME": "{}"} | environ).items():
        monkeypatch.setenv(name, value.format(tmp_path))
    newest = tmp_path / "xdg" / "huggingface" / "hub"
    places = {
        "XDG_CACHE_HOME": newest,
        "HF_HOME": tmp_path / "home" / "hub",
        "HUGGINGFACE_HUB_CACHE": tmp_path / "older",
        "HF_HUB_CACHE": tmp_path / "newest",
    }
    chosen = [place for name, place in places.items() if name in environ]
    cache = chosen[-1] if chosen else tmp_path / ".cache" / "huggingface" / "hub"
    repository = cache / "models--hexgrad--Kokoro-82M"
    a_set(repository / "snapshots" / "abc123")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc123")

    found = find_checkpoint(None, VOICES)

    assert str(found.weights) == huggingface_hub.try_to_load_from_cache(REPOSITORY, WEIGHTS, cache_dir=cache)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"KOE_MODEL_DIR": str(tmp_path / "model")})


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class WatchHarness:
    """A watch, and the results of its looks."""

    def __init__(self, settings: Settings) -> None:
        self._clock = Clock()
        self._watch = ModelWatch(
            settings.model_dir, settings.fetched_model, VOICES, is_wanted=settings.wants_model, clock=self._clock
        )

    def looks(self, seconds: float = 2 * REST_SECONDS) -> list[bool]:
        said = []
        for _ in range(round(seconds / LOOK_SECONDS)):
            self._clock.now += LOOK_SECONDS
            said.append(self._watch.has_changed())
        return said

    def forget(self) -> None:
        self._watch.forget()


def test_new_files_are_reported_once_when_they_are_complete_and_no_longer_change(settings: Settings, tmp_path: Path) -> None:
    watch = WatchHarness(settings)
    assert not any(watch.looks())

    a_set(tmp_path / "model", voices=())
    assert not any(watch.looks())
    a_set(tmp_path / "model", voices=VOICES[:1])
    assert not any(watch.looks(LOOK_SECONDS))
    a_set(tmp_path / "model")
    assert not any(watch.looks(REST_SECONDS))

    assert watch.looks().count(True) == 1
    assert not any(watch.looks())


def test_replaced_files_are_reported_and_deleted_ones_are_not(settings: Settings, tmp_path: Path) -> None:
    a_set(tmp_path / "model", WEIGHTS_8BIT)
    watch = WatchHarness(settings)
    assert not any(watch.looks())

    (tmp_path / "model" / WEIGHTS).write_bytes(b"original")
    assert watch.looks().count(True) == 1
    (tmp_path / "model" / CONFIG).replace(tmp_path / "away")
    assert not any(watch.looks())
    (tmp_path / "away").replace(tmp_path / "model" / CONFIG)
    assert not any(watch.looks())


def test_files_that_workers_were_started_with_are_not_reported(settings: Settings, tmp_path: Path) -> None:
    watch = WatchHarness(settings)
    a_set(tmp_path / "model")

    watch.forget()

    assert not any(watch.looks())


@pytest.mark.parametrize("engine", ["espeak", "tone"])
def test_a_server_without_kokoro_does_not_watch_files(engine: str, settings: Settings, tmp_path: Path) -> None:
    watch = WatchHarness(read_settings({"KOE_MODEL_DIR": str(tmp_path / "model"), "KOE_ENGINE": engine}))

    a_set(tmp_path / "model")

    assert not any(watch.looks())
    assert find_complete_checkpoint(settings.model_dir, settings.fetched_model, VOICES) is not None
