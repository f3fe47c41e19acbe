"""Phonetic signs of encyclopedias are not spoken; paths and other brackets are."""

import pytest

from workers.text.normalization.markup.phonetics import strip_phonetics
from workers.text.tracked_text import TrackedText


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Nice (/niːs/) is", "Nice is"),
        ("Worcester (/ˈwʊstər/ ⓘ WUUST-ər) is", "Worcester is"),
        ("Paris (French pronunciation: [paʁi] ⓘ) is", "Paris is"),
        ("Munich (/ˈmjuːnɪk/ MEW-nik; German: München [ˈmʏnçn̩]) is", "Munich (German: München) is"),
        ("Paris (/ˈpærɪs/; born 1900) is", "Paris (born 1900) is"),
        ("Leicester, pronounced /ˈlɛstər/, is", "Leicester is"),
        ("It is pronounced /θɪn/.", "It is pronounced."),
        ("パリ（仏: Paris、フランス語発音: [paʁi]）は", "パリ（仏: Paris）は"),
    ],
)
def test_phonetic_signs_are_removed(text: str, rest: str) -> None:
    assert strip_phonetics(TrackedText.of(text), "en-US").text == rest


@pytest.mark.parametrize(
    "text", ["/usr/local/ (a/b/c)", "[Koe](/kˈOA/) (not [here])", "1/2 and/or (1/2/2024)", "He (John) left."]
)
def test_everything_else_stays(text: str) -> None:
    assert strip_phonetics(TrackedText.of(text), "en-US").text == text
