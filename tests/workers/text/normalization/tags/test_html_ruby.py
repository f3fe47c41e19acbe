"""Ruby: a word is spoken once, with its reading if that is in kana."""

import pytest

from workers.text.normalization.tags.html_ruby import say_ruby
from workers.text.tracked_text import TrackedText


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<ruby>声<rt>こえ</rt></ruby>を出す", "コエを出す"),
        ("<ruby>食<rt>た</rt></ruby>べる", "たべる"),
        ("<ruby>食<rt>た</rt>べる</ruby>", "たべる"),
        ("<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>", "カンジ"),
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>", "カンジ"),
        ("<ruby><rb>漢<rb>字<rt>かん<rt>じ</ruby>", "カンジ"),
        ("<ruby><rb>漢</rb><rb>字</rb><rt>かん</rt><rt>じ</rt></ruby>", "カンジ"),
        ("<ruby>東京<rt>とうきょう</rt><rtc><rt>Tokyo</rt></rtc></ruby>", "トーキョー"),
        ('<RUBY lang="ja"><b>声</b><RT class="x">こえ</RT></RUBY>', "コエ"),
        ("<ruby>\n 漢 <rt>かん</rt>\n 字 <rt>じ</rt>\n</ruby>", "カンジ"),
        ("<ruby>声<rt>こえ</ruby>", "コエ"),
    ],
)
def test_a_reading_in_kana_is_spoken_instead_of_the_word(text: str, words: str) -> None:
    assert say_ruby(TrackedText.of(text)).text == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<ruby>北京<rt>Běijīng</rt></ruby>", "北京"),
        ("<ruby>北<rt>ㄅㄟˇ</rt>京<rt>ㄐㄧㄥ</rt></ruby>", "北京"),
        ("<ruby>東京<rt>Tokyo</rt></ruby>", "東京"),
        ("<ruby>漢字<rt></rt></ruby>", "漢字"),
        ("<ruby>漢字</ruby>", "漢字"),
    ],
)
def test_any_other_reading_is_silent(text: str, words: str) -> None:
    assert say_ruby(TrackedText.of(text)).text == words


def test_ruby_that_is_not_closed_stays_for_others() -> None:
    assert say_ruby(TrackedText.of("<ruby>声<rt>こえ")).text == "<ruby>声<rt>こえ"
