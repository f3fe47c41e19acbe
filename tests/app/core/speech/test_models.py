"""The names of models, and the engine of each."""

import pytest

from app.core.errors import UnknownModel
from app.core.speech.models import ENGINE_ORDER, MODELS, OPENAI_MAX_INPUT_CHARS, OTHER_NAMES, best_engine, find_model


def test_the_names_of_openai_and_our_own_are_there() -> None:
    dated = ["gpt-4o-mini-tts-2025-03-20", "gpt-4o-mini-tts-2025-12-15", "tts-1-1106", "tts-1-hd-1106"]
    openai = ["tts-1", "tts-1-hd", "gpt-4o-mini-tts", *dated]
    assert list(MODELS) == [*openai, "kokoro", "espeak"]
    assert [model.id for model in MODELS.values() if model.engine is None] == openai


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("hexgrad/Kokoro-82M", "kokoro"),
        ("hexgrad/kokoro-82m", "kokoro"),
        ("speaches-ai/Kokoro-82M-v1.0-ONNX", "kokoro"),
        ("kokoro-82m", "kokoro"),
        ("kokoro-v1", "kokoro"),
        ("Kokoro", "kokoro"),
        ("kokoro ", "kokoro"),
        ("openai/tts-1", "tts-1"),
        ("openai/gpt-4o-mini-tts-2025-03-20", "gpt-4o-mini-tts-2025-03-20"),
        (" TTS-1 ", "tts-1"),
    ],
)
def test_names_that_other_servers_use_mean_the_same_model(name: str, model: str) -> None:
    assert find_model(name) is MODELS[model]


def test_no_two_names_are_one_but_for_upper_and_lower_case() -> None:
    names = [name.lower() for name in (*MODELS, *OTHER_NAMES)]
    assert len(set(names)) == len(names)
    assert set(OTHER_NAMES.values()) <= set(MODELS)


@pytest.mark.parametrize("name", ["", "tts-2", "tts 1", "tone", "../kokoro", "openai/kokoro", "hexgrad/Kokoro-82M-v1.1-zh"])
def test_an_unknown_name_is_reported_as_openai_reports_it(name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        find_model(name)
    assert caught.value.message.startswith(f"The model `{name}` does not exist or you do not have access to it. ")
    assert all(f"'{known}'" in caught.value.message for known in MODELS)


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
