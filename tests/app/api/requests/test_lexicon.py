"""A request to put a word into a lexicon, and the error that is reported for an invalid one."""

from typing import Any

import pytest

from app.api.requests.lexicon import read_entry
from app.core.errors import EmptyString, InvalidRequest, InvalidValue, MissingParameter, StringTooLong, WrongType
from app.core.speech.lexicon import LexiconEntry, canonical_tag

GOOD = {"word": "Koe", "phonemes": "kˈOA"}


@pytest.mark.parametrize(
    ("language", "read_as"),
    [(None, "*"), ("*", "*"), ("en", "en"), ("EN-us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("cmn", "cmn")],
)
def test_an_entry_is_for_all_languages_or_one(language: str | None, read_as: str) -> None:
    assert read_entry(GOOD | {"language": language}) == LexiconEntry(word="Koe", phonemes="kˈOA", language=read_as)
    assert canonical_tag(read_as) == read_as


@pytest.mark.parametrize(
    ("fields", "error", "param"),
    [
        ({"word": None}, MissingParameter, "word"),
        ({"word": 5}, WrongType, "word"),
        ({"word": ""}, EmptyString, "word"),
        ({"word": "two words"}, InvalidValue, "word"),
        ({"word": "a" * 101}, StringTooLong, "word"),
        ({"phonemes": None}, MissingParameter, "phonemes"),
        ({"phonemes": ["a"]}, WrongType, "phonemes"),
        ({"phonemes": ""}, EmptyString, "phonemes"),
        ({"phonemes": "g"}, InvalidValue, "phonemes"),
        ({"phonemes": "a" * 101}, StringTooLong, "phonemes"),
        ({"language": 5}, WrongType, "language"),
        ({"language": ""}, InvalidValue, "language"),
        ({"language": "English"}, InvalidValue, "language"),
        ({"language": "e"}, InvalidValue, "language"),
        ({"language": "en/us"}, InvalidValue, "language"),
        ({"word": "a b", "phonemes": "g", "language": ""}, InvalidValue, "word"),
    ],
    ids=ascii,
)
def test_the_first_invalid_field_is_reported(fields: dict[str, Any], error: type[InvalidRequest], param: str) -> None:
    with pytest.raises(error) as caught:
        read_entry(GOOD | fields)
    assert caught.value.param == param
