"""The nine languages and the names by which they are found."""

import pytest

from app.core.speech.languages import LANGUAGES, Language, find_language
from app.core.speech.voices import load_catalogue


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.tag)
def test_a_language_is_found_by_its_tag_and_its_letter(language: Language) -> None:
    assert find_language(language.tag) is language
    assert find_language(language.tag.upper()) is language
    assert find_language(language.letter) is language


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("en", "en-US"),
        ("en_us", "en-US"),
        ("en-gb", "en-GB"),
        ("en-AU", "en-US"),
        ("es-MX", "es"),
        ("fr", "fr-FR"),
        ("pt", "pt-BR"),
        ("ja-JP", "ja"),
        ("cmn", "zh"),
        ("zh-Hans-CN", "zh"),
        (" hi ", "hi"),
    ],
)
def test_a_language_is_found_by_common_spellings(name: str, tag: str) -> None:
    language = find_language(name)
    assert language is not None
    assert language.tag == tag


@pytest.mark.parametrize("name", ["", " ", "x", "de", "de-DE", "english", "ab", "-", "日本語", "a\x00"])
def test_anything_else_is_no_language(name: str) -> None:
    assert find_language(name) is None


def test_every_bundled_voice_speaks_one_of_them_and_begins_with_its_letter() -> None:
    letters = {language.tag: language.letter for language in LANGUAGES}
    for voice in load_catalogue().voices.values():
        assert voice.id[0] == letters[voice.language]
