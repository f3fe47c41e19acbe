"""Readings of Japanese words: those of our file, and those that depend on the words around."""

import pytest

pytest.importorskip("pyopenjtalk")

from workers.text.g2p.japanese import openjtalk


def _read(text: str) -> str:
    return "".join(feature["pron"].replace("’", "") for feature in openjtalk.read(text))


@pytest.mark.parametrize(("word", "said"), openjtalk.WORDS.words.items())
def test_every_word_of_the_file_is_said_as_the_file_says(word: str, said: str) -> None:
    assert _read(word) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("何時", "ナンジ"),
        ("何往復", "ナンオーフク"),
        ("何百人", "ナンビャクニン"),
        ("何です", "ナンデス"),
        ("何を", "ナニヲ"),
        ("何も", "ナニモ"),
        ("何", "ナニ"),
    ],
)
def test_what_is_nan_before_a_counter_and_a_copula(text: str, said: str) -> None:
    assert _read(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("辛いカレー", "カライ"),
        ("辛い経験", "ツライ"),
        ("ドアが開く", "アク"),
        ("本を開く", "ヒラク"),
        ("強い寒気が流れ込む", "カンキ"),
        ("寒気がする", "サムケ"),
    ],
)
def test_a_reading_depends_on_the_words_around(text: str, said: str) -> None:
    assert said in _read(text)


def test_the_number_of_moras_follows_the_reading() -> None:
    (feature,) = (one for one in openjtalk.read("強い寒気が流れ込む") if one["string"] == "寒気")
    assert feature["mora_size"] == 3
