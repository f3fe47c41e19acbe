"""Emoticons are treated like emoji, faces are dropped, and short forms of chats are words."""

import pytest

from workers.text.normalization.normalize import normalize


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Nice :)", "Nice, slightly smiling face"),
        ("Nice :tada:", "Nice, party popper"),
        ("Nice ;-) bye", "Nice, winking face, bye"),
    ],
)
def test_emoticons_are_said_where_emoji_are(text: str, spoken: str) -> None:
    assert normalize(text, "en-US", says_emoji=True).text == spoken


@pytest.mark.parametrize(
    "sign", [":)", ":-(", "xD", "T_T", "^_^", "¯\\_(ツ)_/¯", "(╯°□°)╯︵ ┻━┻", "(*´▽｀*)", ":tada:", "<3", "(^^)"]
)
def test_signs_of_chats_are_dropped(sign: str) -> None:
    assert normalize(f"So {sign}", "en-US").text == "So"


@pytest.mark.parametrize(
    "text",
    ["(see below:)", "a list (a, b, c:)", "std::vector", "Note:(x)", "The (first) one", "An (o) and (x)", "Mister T. (T.)"],
)
def test_other_marks_stay(text: str) -> None:
    assert normalize(text, "en-US").text == text


@pytest.mark.parametrize(
    ("text", "language", "spoken"),
    [
        ("b/c it's gr8. Thx", "en-US", "because it's great. Thanks"),
        ("BC and MSG", "en-US", "BC and MSG"),
        ("I <3 you", "en-US", "I love you"),
        ("q tal tb", "es", "que tal también"),
        ("草ww", "ja", "草"),
    ],
)
def test_short_forms_are_written_out(text: str, language: str, spoken: str) -> None:
    assert normalize(text, language).text == spoken
