"""Japanese spelled for an engine that cannot read it: words of katakana, and the origin of each in the user's text."""

import pytest

pytest.importorskip("pyopenjtalk")

from workers.text.g2p.japanese.kana import to_katakana
from workers.text.tracked_text import TrackedText


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("東京へ行きましたか？", "トーキョーエ イキマシタカ？"),
        ("2500円と3.14、24時間", "ニセンゴヒャクエント サンテンイチヨン、 ニジューヨジカン"),
        ("ﾃｽﾄ", "テスト"),
        ("APIです。", "エーピーアイデス。"),
        ("Koe は OpenAI です", "Koe ワ OpenAI デス"),
        ("123 abc", "ヒャクニジューサン abc"),
        ("今日は。\n明日も。", "キョーワ。\nアシタモ。"),
        # "ジュー" stands for no character.
        ("昭和五六年", "ショーワ ゴジューロクネン"),
        ("Hello, world!", "Hello, world!"),
        ("", ""),
    ],
)
def test_words_are_spelled_as_they_are_said(text: str, spelled: str) -> None:
    assert to_katakana(TrackedText.of(text)).text == spelled


def test_every_word_stands_for_what_was_written() -> None:
    text = "東京で2500円。"
    tracked = to_katakana(TrackedText.of(text))
    for word, written in (("トーキョー", "東京"), ("デ", "で"), ("ゴヒャク", "2500"), ("エン", "円")):
        place = tracked.text.index(word)
        start, end = tracked.origin(place, place + len(word))
        assert text[start:end] == written


@pytest.mark.parametrize("text", ["ー々〆", "🎉你好", "1" * 500, "、。！？「」", "\u3099\uff9e", "東" * 1000, "ａｂｃ　ｄ"])
def test_strange_text_is_spelled_and_keeps_its_origin(text: str) -> None:
    tracked = to_katakana(TrackedText.of(text))
    origins = [tracked.origin(place, place + 1) for place in range(len(tracked))]
    assert origins == sorted(origins)
    assert all(0 <= start < end <= len(text) for start, end in origins)
