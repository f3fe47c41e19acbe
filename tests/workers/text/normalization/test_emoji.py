"""Emoji are dropped, or said by name in the language of the text. The words of a name have the origin of their emoji."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.text.g2p.phonemize import Phonemizer
from workers.text.normalization.normalize import normalize
from workers.text.words import find_words

SAID = (
    ("en-US", "I ❤️ you 😀!", "I red heart you, grinning face!"),
    ("en-US", "😀😀 😀", "Grinning face"),
    ("en-US", "Wow ❤️❤️ ❤️", "Wow, red heart"),
    ("en-US", "😀🎉 Hello", "Grinning face, party popper, Hello"),
    ("en-US", "Pizza🍕is here", "Pizza, pizza, is here"),
    ("en-US", "Done. 😀 Next", "Done. Grinning face, Next"),
    ("en-US", "👍🏽 👍🏿", "Thumbs up"),
    ("en-US", "#️⃣ 1️⃣", "one"),
    ("en-US", "🇪🇸 and 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "Spain flag and England flag"),
    ("en-US", "👨\u200d👩\u200d👧", "Family man woman girl"),
    ("en-US", "👩🏻\u200d🤝\u200d👨🏿", "Woman handshake man"),
    ("en-US", "🇦 alone", "alone"),
    ("en-US", "(😀)", "(grinning face)"),
    ("en-US", "- ✅ Done", "check mark button, Done."),
    ("es", "¡Hola! 👋", "¡Hola! Mano saludando"),
    ("fr-FR", "Oui ❤", "Oui, cœur rouge"),
    ("de", "Gut 👍!", "Gut, daumen hoch!"),
    ("ja", "今日は😀です", "今日は、にっこり笑う、です"),
    ("zh", "你好😀！", "你好，嘿嘿！"),
    ("hi", "नमस्ते 😀😀", "नमस्ते, 😀"),
    ("uk", "Привіт 😀", "Привіт"),
)
DROPPED = (
    ("I ❤️ you 😀!", "I you!"),
    ("😀😀😀", ""),
    ("👨\u200d👩\u200d👧 and 🇪🇸", "and"),
    ("1️⃣ Bread 2️⃣", "one Bread two"),
    ("❤︎", ""),
)


@pytest.mark.parametrize(("language", "text", "spoken"), SAID)
def test_emoji_are_said(language: str, text: str, spoken: str) -> None:
    assert normalize(text, language, says_emoji=True).text == spoken


@pytest.mark.parametrize(("text", "spoken"), DROPPED)
def test_emoji_are_dropped(text: str, spoken: str) -> None:
    assert normalize(text, "en-US").text == spoken


def test_the_words_of_an_emoji_stand_for_the_emoji_and_no_others_do() -> None:
    text = "I love you 😀! Pizza🍕is"
    tracked = normalize(text, "en-US", says_emoji=True)
    told = [(tracked.text[start:end], text[slice(*tracked.origin(start, end))]) for start, end in find_words(tracked.text)]
    assert told[2:8] == [
        ("you,", "you"),
        ("grinning", "😀"),
        ("face!", "😀!"),
        ("Pizza,", "Pizza"),
        ("pizza,", "🍕"),
        ("is", "is"),
    ]


def test_hindi_names_come_from_espeak() -> None:
    spoken = normalize("नमस्ते 😀", "hi", says_emoji=True).text
    assert "cˈeːhəɾˌaː" in Phonemizer().phonemize(spoken, "hi").phonemes


@pytest.mark.parametrize("unit", ["😀", " 😀", "👨\u200d", "🇪", "a 😀 ", "1️⃣", "   ", "\U000e0067", "👍🏽"])
@pytest.mark.parametrize("language", ["en-US", "hi", "zh"])
def test_hostile_text_takes_no_longer_than_its_length(unit: str, language: str) -> None:
    text = (unit * 50_000)[:50_000]
    assert len(normalize(text, language, says_emoji=True).text) <= 12 * len(text)


PARTS = [
    "😀",
    "❤️",
    "👍🏽",
    "🇪🇸",
    "🇪",
    "👨\u200d👩\u200d👧",
    "1️⃣",
    "#️⃣",
    "\u200d",
    "\ufe0f",
    "a",
    "Word",
    ".",
    "!",
    " ",
    "\n",
    "\n\n",
    "- ",
    "5",
]


@given(st.lists(st.sampled_from(PARTS), max_size=15).map("".join))
@settings(deadline=None, max_examples=150)
@pytest.mark.parametrize("language", ["en-US", "fr-FR", "hi", "ja"])
def test_every_character_has_an_origin_in_order(language: str, text: str) -> None:
    tracked = normalize(text, language, says_emoji=True)
    origins = [tracked.origin(place, place + 1) for place in range(len(tracked))]
    assert all(0 <= start < end <= len(text) for start, end in origins)
    assert origins == sorted(origins)
    assert "  " not in tracked.text
