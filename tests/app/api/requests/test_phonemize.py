"""The meaning of a request for phonemes, and the error that is reported for an invalid one."""

from typing import Any

import pytest

from app.api.openapi.describe import read_contract
from app.api.requests.phonemize import PhonemizeRequest, read_phonemize, to_spoken_text
from app.core.errors import InvalidRequest, MissingModel, MissingParameter, StringTooLong, UnknownModel
from app.core.speech.models import OPENAI_MAX_INPUT_CHARS, find_model
from app.core.speech.voices import Catalogue, load_catalogue

CATALOGUE = load_catalogue()
MOST = 5000
GOOD: dict[str, Any] = {"input": "Hello.", "voice": "alloy"}


def read(catalogue: Catalogue = CATALOGUE, **fields: Any) -> PhonemizeRequest:
    return read_phonemize(fields, catalogue=catalogue, max_input_chars=MOST)


@pytest.mark.parametrize("fields", [{}, {"model": None, "language": None, "normalize": None, "pronunciations": None}])
def test_a_voice_will_do_and_the_rest_has_its_defaults(fields: dict[str, Any]) -> None:
    asked = read(**GOOD, **fields)

    assert asked.model.engine is None
    assert asked.voice == CATALOGUE.parse("alloy")[0]
    assert (asked.input, asked.language, asked.normalize, asked.pronunciations) == ("Hello.", "en-US", True, ())


@pytest.mark.parametrize("language", [{"language": "fr"}, {"lang_code": "f"}, {"language": None, "lang_code": "fr-FR"}])
def test_a_language_alone_will_do_and_has_a_voice_of_its_own(language: dict[str, Any]) -> None:
    asked = read(input="Bonjour.", voice=None, **language)

    assert asked.language == "fr-FR"
    assert [CATALOGUE.voices[part.voice_id].language for part in asked.voice] == ["fr-FR"]


def test_a_voice_may_say_another_language() -> None:
    asked = read(**GOOD, language="fr")

    assert (asked.language, asked.voice) == ("fr-FR", CATALOGUE.parse("alloy")[0])


def test_a_language_that_no_voice_was_made_for_is_said_by_one_that_is_there() -> None:
    asked = read(input="Hallo.", model="espeak", language="de")

    assert (asked.model, asked.language) == (find_model("espeak"), "de")
    assert asked.voice[0].voice_id in CATALOGUE.voices


def test_the_limit_is_the_server_s_on_every_model() -> None:
    longer = "a" * (OPENAI_MAX_INPUT_CHARS + 1)

    assert read(input=longer, voice="alloy", model="tts-1").input == longer
    with pytest.raises(StringTooLong, match=f"maximum length {MOST}"):
        read(input="a" * (MOST + 1), voice="alloy", model="tts-1")


@pytest.mark.parametrize(
    "fields", [{}, {"voice": None, "language": None}, {"normalize": 5}, {"language": "auto"}, {"lang_code": ""}]
)
def test_without_voice_and_language_it_is_the_voice_that_is_missing(fields: dict[str, Any]) -> None:
    with pytest.raises(MissingParameter) as caught:
        read(input="Hello.", **fields)

    assert caught.value.param == "voice"


WRONG: list[tuple[str, Any, str]] = [
    ("input", 5, "input"),
    ("voice", "zzz", "voice"),
    ("language", "tlh", "language"),
    ("normalize", "yes", "normalize"),
    ("pronunciations", {"Koe": 5}, "pronunciations"),
]


@pytest.mark.parametrize("n_right", range(len(WRONG)))
def test_the_first_fault_is_reported(n_right: int) -> None:
    fields = GOOD | {name: value for name, value, _ in WRONG[n_right:]}

    with pytest.raises(InvalidRequest) as caught:
        read(**fields)

    assert caught.value.param == WRONG[n_right][2]


def test_the_model_is_judged_first() -> None:
    with pytest.raises(UnknownModel):
        read(model="X")
    with pytest.raises(MissingModel):
        read(model="")


@pytest.mark.parametrize(("language", "param"), [({"language": 5}, "language"), ({"lang_code": "?"}, "lang_code")])
def test_a_language_in_the_voice_s_place_is_judged_as_a_language(language: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(input="Hello.", **language)

    assert caught.value.param == param


def test_every_field_that_decides_the_phonemes_reaches_the_worker() -> None:
    asked = read(**GOOD, language="fr", normalize=False, pronunciations={"b": "bˈi", "a": "ˈA"})

    text = to_spoken_text(asked, engine="espeak", emoji="say", code="say", think="say")

    assert text.emoji == "say"
    assert (text.code, text.think) == ("say", "say")
    assert (text.text, text.engine, text.voice) == ("Hello.", "espeak", asked.voice)
    assert (text.language, text.normalize) == ("fr-FR", False)
    assert text.pronunciations == (("a", "ˈA"), ("b", "bˈi"))


def test_the_contract_knows_every_field_that_is_read() -> None:
    described = read_contract()["components"]["schemas"]["PhonemizeRequest"]["properties"]

    assert set(described) == {"model", "lang_code", *(name for name, _, _ in WRONG)}
