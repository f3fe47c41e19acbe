"""The operator's lexicon: the entries that a text needs, and files that cannot be used."""

from pathlib import Path

import pytest

from app.core.errors import SettingsError
from app.core.speech.lexicon import Lexicon, merged, read_lexicon

FILE = """
[all]
koe = "kˈOA"

[en]
live = "lˈɪv"

["en-GB"]
live = "lˈIv"
NATO = "nˈAtO"

[zh]
"东京" = "tʊŋ"
"""


@pytest.fixture
def lexicon(tmp_path: Path) -> Lexicon:
    file = tmp_path / "lexicon.toml"
    file.write_text(FILE)
    return read_lexicon(file)


def test_only_the_words_of_the_text_are_given(lexicon: Lexicon) -> None:
    assert lexicon.entries("Koe is here.", "en-US") == (("koe", "kˈOA"),)
    assert lexicon.entries("Nothing of it.", "en-US") == ()


def test_the_nearest_language_is_right(lexicon: Lexicon) -> None:
    assert lexicon.entries("We live.", "en-US") == (("live", "lˈɪv"),)
    assert lexicon.entries("We live.", "en-GB") == (("live", "lˈIv"),)
    assert lexicon.entries("We live.", "fr-FR") == ()


def test_capitals_matter_where_the_file_has_them(lexicon: Lexicon) -> None:
    assert lexicon.entries("NATO and nato", "en-GB") == (("NATO", "nˈAtO"),)
    assert lexicon.entries("nato", "en-GB") == ()


def test_words_without_spaces_are_found_in_the_text(lexicon: Lexicon) -> None:
    assert lexicon.entries("我去东京了。", "zh") == (("东京", "tʊŋ"),)


def test_pronunciations_of_a_request_take_precedence_over_the_lexicon() -> None:
    assert merged((("Koe", "a"),), (("koe", "b"), ("live", "c"))) == (("Koe", "a"), ("live", "c"))


def test_without_a_file_there_is_nothing() -> None:
    assert read_lexicon(None).entries("Koe", "en-US") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("koe = ", "cannot be read"),
        ('koe = "kˈOA"', "cannot be read"),
        ('[all]\nkoe = "g"', "are not Misaki's"),
        ('[all]\nkoe = ""', "empty"),
        ('[all]\n"two words" = "a"', "not one word"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported_at_the_start(tmp_path: Path, text: str | None, says: str) -> None:
    file = tmp_path / "lexicon.toml"
    if text is not None:
        file.write_text(text)

    with pytest.raises(SettingsError, match=f"KOE_LEXICON.*{says}"):
        read_lexicon(file)
