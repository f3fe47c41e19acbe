"""Numbers of Mandarin in Han characters: years, lengths of time, 两."""

import pytest

pytest.importorskip("cn2an")

from workers.text.g2p.mandarin.numbers import spell_numbers
from workers.text.tracked_text import TrackedText


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("1984年", "一九八四年"),
        ("1984年的历史", "一九八四年的历史"),
        ("200年历史", "两百年历史"),
        ("150年", "一百五十年"),
        ("2000年前", "两千年前"),
        ("2000年出生", "二零零零年出生"),
        ("公元前221年", "公元前二二一年"),
        ("第200年", "第二百年"),
        ("98年洪水", "九八年洪水"),
        ("20年后", "二十年后"),
        ("90年代", "九十年代"),
        ("10000年", "一万年"),
        ("08年", "零八年"),
    ],
)
def test_a_year_is_said_digit_by_digit_and_a_length_of_time_is_not(text: str, spelled: str) -> None:
    assert spell_numbers(TrackedText.of(text)).text == spelled


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("200", "两百"),
        ("2200", "两千二百"),
        ("12000", "一万二千"),
        ("20000000", "两千万"),
        ("第200", "第二百"),
        ("2.5万", "二点五万"),
        ("百分之200", "百分之二百"),
        ("二百五", "二百五"),
    ],
)
def test_two_hundred_and_more_begin_with_liang(text: str, spelled: str) -> None:
    assert spell_numbers(TrackedText.of(text)).text == spelled
