"""Syllables of Mandarin words: polyphones, tones that change, 儿, traditional characters."""

import pytest

pytest.importorskip("jieba")

from workers.text.g2p.mandarin import syllables
from workers.text.g2p.mandarin.words import WORDS


@pytest.fixture(scope="module", autouse=True)
def _dictionaries() -> None:
    syllables.load()


def _say(text: str) -> list[str]:
    return [syllable.phonemes for syllable in syllables.read(text)]


def _same(text: str, other: str) -> bool:
    return _say(text) == _say(other)


@pytest.mark.parametrize("word", WORDS.words)
def test_every_word_of_the_file_has_a_syllable_for_each_character(word: str) -> None:
    assert len(WORDS.words[word].split()) == len(word)
    assert [(one.first, one.last) for one in syllables.read(word)] == [(i, i + 1) for i in range(len(word))]


@pytest.mark.parametrize(
    ("traditional", "simplified"), [("銀行", "银行"), ("音樂", "音乐"), ("長大", "长大"), ("重慶", "重庆"), ("頭髮", "头发")]
)
def test_traditional_characters_are_said_like_simplified_ones(traditional: str, simplified: str) -> None:
    assert _same(traditional, simplified)


@pytest.mark.parametrize(
    ("text", "at", "tone"),
    [
        ("一样", 0, "↗"),
        ("一天", 0, "↘"),
        ("第一天", 1, "→"),
        ("十一个", 1, "→"),
        ("三比一战平", 2, "→"),
        ("统一", 1, "→"),
        ("不对", 0, "↗"),
        ("不好", 0, "↘"),
    ],
)
def test_the_tones_of_one_and_not_change(text: str, at: int, tone: str) -> None:
    assert _say(text)[at].endswith(tone)


@pytest.mark.parametrize(("text", "said"), [("花儿", ["xwa→", "ɚ"]), ("一点儿", ["i↘", "tja↓", "ɚ"]), ("女儿", ["ny↓", "ɚ↗"])])
def test_a_final_er_colours_the_syllable_before_it(text: str, said: list[str]) -> None:
    assert _say(text) == said


@pytest.mark.parametrize(
    ("text", "at", "like"),
    [
        ("你得立即走", 1, "děi"),
        ("跑得快", 1, "的"),
        ("获得", 1, "德"),
        ("睡得着觉", 2, "昭"),
        ("还没还书", 2, "环"),
        ("两行", 1, "航"),
        ("一行人", 1, "形"),
    ],
)
def test_a_polyphone_follows_the_words_next_to_it(text: str, at: int, like: str) -> None:
    letters = str.maketrans("", "", "→↗↓↘")
    expected = "tei" if like == "děi" else _say(like)[0].translate(letters)
    assert _say(text)[at].translate(letters) == expected
