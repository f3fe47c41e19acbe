"""The engine that a model gets."""

import pytest

from app.api.requests.engines import resolve_engine
from app.core.errors import EngineUnavailable, NoWorker
from app.core.queue.fleet import Fleet, Registration
from app.core.speech.models import find_model

MISSING = "Kokoro's files are not in /srv/model: `koe fetch` downloads them."


def a_fleet(*engines: str, missing: str | None = None) -> Fleet:
    return Fleet((Registration(name="one", engines=engines, missing=missing),))


def test_openais_names_get_the_best_engine_and_our_own_get_theirs() -> None:
    fleet = a_fleet("kokoro", "espeak")
    assert resolve_engine(find_model("tts-1"), fleet) == "kokoro"
    assert resolve_engine(find_model("espeak"), fleet) == "espeak"
    assert resolve_engine(find_model("gpt-4o-mini-tts"), a_fleet("tone")) == "tone"


def test_kokoro_is_never_silently_replaced() -> None:
    with pytest.raises(EngineUnavailable, match="koe fetch"):
        resolve_engine(find_model("kokoro"), a_fleet("espeak"))
    with pytest.raises(EngineUnavailable) as caught:
        resolve_engine(find_model("kokoro"), a_fleet("espeak", missing=MISSING))
    assert caught.value.message.count("koe fetch") == 1


@pytest.mark.parametrize("name", ["tts-1", "kokoro"])
def test_without_a_worker_the_error_names_the_command_that_starts_one(name: str) -> None:
    with pytest.raises(NoWorker, match="koe worker"):
        resolve_engine(find_model(name), Fleet())


def test_workers_without_a_common_engine_are_reported() -> None:
    registrations = (Registration(name="a", engines=("kokoro",)), Registration(name="b", engines=("espeak",)))
    with pytest.raises(EngineUnavailable, match="no engine in common"):
        resolve_engine(find_model("tts-1"), Fleet(registrations))
