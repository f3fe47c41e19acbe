"""The models that are listed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.testing import TestClient

from app.access.keyring import Keyring
from app.api.responses.errors import EXCEPTION_HANDLERS
from app.api.routes.models import get_model, get_owned_model, list_models
from app.core.errors import NoWorker
from app.core.queue.fleet import Fleet, Registration
from app.core.speech.models import MODELS

OPENAI = [name for name, model in MODELS.items() if model.engine is None]
MISSING = "Kokoro's files are not in /srv/model: `koe fetch` downloads them."


class StillFleet:
    """A fleet that does not change; None when it cannot be reached."""

    def __init__(self, fleet: Fleet | None) -> None:
        self.fleet = fleet

    async def now(self) -> Fleet:
        if self.fleet is None:
            raise NoWorker("The queue cannot be reached.")
        return self.fleet


def a_fleet(*engines: str, missing: str | None = None) -> Fleet:
    registration = Registration(name="one", engines=engines, missing=missing, weights="8-bit" if "kokoro" in engines else None)
    return Fleet((registration,))


@contextmanager
def served(fleet: Fleet | None, *keys: str) -> Iterator[Any]:
    view = StillFleet(fleet)
    app = Litestar(
        [list_models, get_model, get_owned_model],
        dependencies={"expected": Provide(lambda: view, sync_to_thread=False)},
        exception_handlers=EXCEPTION_HANDLERS,
        state=State({"keyring": Keyring(keys)}),
    )
    with TestClient(app) as client:
        yield client


def test_the_list_holds_what_the_workers_can_speak() -> None:
    with served(a_fleet("kokoro", "espeak")) as client:
        answer = client.get("/v1/models").json()
        assert answer["object"] == "list"
        assert [model["id"] for model in answer["data"]] == [*OPENAI, "kokoro", "espeak"]
        assert answer["data"][0] == {
            "id": "tts-1",
            "object": "model",
            "created": 1681940951,
            "owned_by": "openai-internal",
            "shutdown_date": None,
            "engine": "kokoro",
            "weights": "8-bit",
        }
        assert [(model["engine"], model["weights"]) for model in answer["data"][-2:]] == [("kokoro", "8-bit"), ("espeak", None)]


def test_an_engine_that_is_not_there_is_not_listed() -> None:
    with served(a_fleet("espeak")) as client:
        models = client.get("/v1/models").json()["data"]
        assert [model["id"] for model in models] == [*OPENAI, "espeak"]
        assert {model["engine"] for model in models} == {"espeak"}


def test_with_no_worker_the_names_of_openai_are_listed_without_an_engine() -> None:
    with served(Fleet()) as client:
        models = client.get("/v1/models").json()["data"]
        assert [(model["id"], model["engine"]) for model in models] == [(name, None) for name in OPENAI]
        assert client.get("/v1/models/tts-1").json()["engine"] is None


@pytest.mark.parametrize("name", [*OPENAI, "kokoro"])
def test_each_model_is_found_by_its_name(name: str) -> None:
    with served(a_fleet("kokoro")) as client:
        answer = client.get(f"/v1/models/{name}")
        assert (answer.status_code, answer.json()["id"], answer.json()["engine"]) == (200, name, "kokoro")


@pytest.mark.parametrize("name", ["hexgrad/Kokoro-82M", "hexgrad%2FKokoro-82M", "Kokoro-82M"])
def test_a_model_is_found_by_the_name_that_another_server_uses(name: str) -> None:
    with served(a_fleet("kokoro")) as client:
        answer = client.get(f"/v1/models/{name}")
        assert (answer.status_code, answer.json()["id"]) == (200, "kokoro")


def test_the_error_for_a_model_whose_engine_is_not_loaded_names_the_missing_files() -> None:
    with served(a_fleet("espeak", missing=MISSING)) as client:
        answer = client.get("/v1/models/kokoro")
        fault = answer.json()["error"]
        assert (answer.status_code, fault["code"], fault["type"]) == (503, "engine_unavailable", "server_error")
        assert MISSING in fault["message"]
        assert answer.headers["x-should-retry"] == "false"
        assert "retry-after" not in answer.headers


@pytest.mark.parametrize("name", ["tts-2", "日本", "a%20b", "tone"])
def test_an_unknown_model_is_a_404_with_its_name(name: str) -> None:
    with served(a_fleet("kokoro")) as client:
        answer = client.get(f"/v1/models/{name}")
        assert answer.status_code == 404
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", ["/v1/models/org/model", "/v1/models/org%2Fmodel", "/v1/models/../x"])
def test_a_model_with_a_slash_is_a_404_in_the_envelope(path: str) -> None:
    with served(a_fleet("kokoro")) as client:
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/tts-1", "/v1/models/nope"])
def test_where_keys_are_set_a_key_is_asked_for_first(path: str) -> None:
    with served(a_fleet("kokoro"), "sk-right") as client:
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"Authorization": "Bearer sk-wrong"}).json()["error"]["code"] == "invalid_api_key"
        assert client.get(path, headers={"Authorization": "Bearer sk-right"}).status_code in (200, 404)


def test_a_fleet_that_cannot_be_reached_is_a_503() -> None:
    with served(None) as client:
        assert client.get("/v1/models").json()["error"]["code"] == "no_worker"
