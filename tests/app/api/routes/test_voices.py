"""The voices that are listed, under each of their names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.testing import TestClient

from app.access.keyring import Keyring
from app.api.responses.errors import EXCEPTION_HANDLERS
from app.api.routes.voices import list_model_choices, list_voices, list_voices_beside_models
from app.core.custom_voices.custom_voices import CustomVoices
from app.core.queue.fleet import Fleet, Registration
from app.core.speech.voices import Catalogue, load_catalogue
from app.core.storage.connections import connect_async

CATALOGUE = load_catalogue()
KOKORO = Fleet((Registration(name="one", engines=("kokoro", "espeak")),))


class StillFleet:
    """A fleet that does not change."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    async def now(self) -> Fleet:
        return self.fleet


@contextmanager
def served(fleet: Fleet = KOKORO, catalogue: Catalogue = CATALOGUE) -> Iterator[Any]:
    view = StillFleet(fleet)
    # Nobody presents a key, so nothing is asked of it; `tests/end_to_end/test_custom_voices.py` lists the voices of keys.
    custom_voices = CustomVoices(connect_async("redis://127.0.0.1:1"))
    app = Litestar(
        [list_voices, list_voices_beside_models, list_model_choices],
        dependencies={
            "expected": Provide(lambda: view, sync_to_thread=False),
            "catalogue": Provide(lambda: catalogue, sync_to_thread=False),
            "custom_voices": Provide(lambda: custom_voices, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        state=State({"keyring": Keyring(("sk-right",))}),
    )
    with TestClient(app) as client:
        yield client


def test_clients_that_ask_next_to_the_models_find_the_same_voices() -> None:
    with served() as client:
        assert client.get("/v1/voices").json() == client.get("/v1/audio/voices").json()


def test_openais_names_come_first_and_kokoros_ids_after_them() -> None:
    with served() as client:
        voices = client.get("/v1/audio/voices").json()["voices"]
    assert [voice["id"] for voice in voices] == [*CATALOGUE.aliases, *CATALOGUE.voices]
    assert voices[0] == {
        "id": "alloy",
        "name": "Alloy",
        "language": "en-US",
        "gender": "female",
        "grade": "C",
        "engine": "kokoro",
        "aliases": ["af_alloy"],
    }
    assert next(voice for voice in voices if voice["id"] == "af_heart") == {
        "id": "af_heart",
        "name": "Heart (American English)",
        "language": "en-US",
        "gender": "female",
        "grade": "A",
        "engine": "kokoro",
        "aliases": ["coral"],
    }


def test_every_name_that_is_listed_can_be_spoken_with_and_is_listed_once() -> None:
    with served() as client:
        ids = [voice["id"] for voice in client.get("/v1/audio/voices").json()["voices"]]
    assert len(ids) == len(set(ids)) == 67
    for voice_id in ids:
        CATALOGUE.parse(voice_id)


def test_no_two_voices_have_one_name_for_people() -> None:
    with served() as client:
        names = [voice["name"] for voice in client.get("/v1/audio/voices").json()["voices"]]
    assert len(names) == len(set(names))


def test_the_engine_is_the_one_that_would_speak_now() -> None:
    for fleet, engine in ((Fleet(), None), (Fleet((Registration(name="one", engines=("espeak",)),)), "espeak")):
        with served(fleet) as client:
            assert {voice["engine"] for voice in client.get("/v1/audio/voices").json()["voices"]} == {engine}


def test_a_blend_of_an_operators_is_listed_by_its_name(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[aliases]\nduet = "bf_emma(3)+af_heart"\n', encoding="utf-8")
    with served(catalogue=load_catalogue(own)) as client:
        voices = {voice["id"]: voice for voice in client.get("/v1/audio/voices").json()["voices"]}
    assert voices["duet"]["aliases"] == ["af_heart(0.25)+bf_emma(0.75)"]
    assert (voices["duet"]["language"], voices["duet"]["gender"], voices["duet"]["grade"]) == ("en-GB", "female", "")


def test_the_models_of_a_menu_are_those_that_can_be_asked_for() -> None:
    with served() as client:
        models = client.get("/v1/audio/models").json()["models"]
    assert {"id": "tts-1", "name": "tts-1"} in models
    assert [model["id"] for model in models][-2:] == ["kokoro", "espeak"]
    with served(Fleet()) as client:
        assert "kokoro" not in client.get("/v1/audio/models").text


def test_neither_list_needs_a_key() -> None:
    with served() as client:
        assert client.get("/v1/audio/voices").status_code == 200
        assert client.get("/v1/audio/models").status_code == 200
