"""The names of models, and the engine that each gets."""

import pytest

from app.core.errors import UnknownModel
from app.core.models import ENGINE_ORDER, MODELS, OPENAI_MAX_INPUT_CHARS, best_engine, find_model


def test_the_names_of_openai_and_our_own_are_there() -> None:
    openai = ["tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15", "tts-1-1106", "tts-1-hd-1106"]
    assert list(MODELS) == [*openai, "kokoro", "espeak"]
    assert [model.id for model in MODELS.values() if model.engine is None] == openai


@pytest.mark.parametrize("name", ["", "tts-2", "TTS-1", "kokoro ", "tone", "../kokoro"])
def test_another_name_is_told_as_openai_tells_it(name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        find_model(name)
    assert caught.value.message == f"The model `{name}` does not exist or you do not have access to it."


def test_openais_limit_holds_for_openais_names_only() -> None:
    assert find_model("tts-1").max_input_chars(100_000) == OPENAI_MAX_INPUT_CHARS == 4096
    assert find_model("kokoro").max_input_chars(100_000) == 100_000
    assert find_model("espeak").max_input_chars(50) == 50


def test_only_the_old_models_do_not_stream_events() -> None:
    assert [model.id for model in MODELS.values() if not model.streams_sse] == [name for name in MODELS if "tts-1" in name]


def test_the_best_engine_is_the_first_that_is_loaded() -> None:
    assert best_engine(frozenset(ENGINE_ORDER)) == "kokoro"
    assert best_engine(frozenset({"tone", "espeak"})) == "espeak"
    assert best_engine(frozenset({"tone"})) == "tone"
    assert best_engine(frozenset()) is None
