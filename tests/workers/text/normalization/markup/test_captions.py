"""Of subtitles only what is said is spoken, and a sentence goes on in the next one."""

import pytest

from workers.text.normalization.markup.captions import strip_captions
from workers.text.tracked_text import TrackedText

SRT = "1\n00:00:01,000 --> 00:00:04,074\nHe was born\nin\n\n2\n00:00:05,000 --> 00:00:06,000\nParis.\n- When?\n"
VTT = "WEBVTT - x\nKind: captions\n\nNOTE a\nb\n\nintro\n00:01.000 --> 00:04.000 position:50%\n<v Ann>Hi <00:02.000>you.\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SRT, "He was born in Paris.\n- When?"),
        (VTT, "Hi you."),
        ("0:00:01.000,0:00:04.000\nHello.", "Hello."),
        ("[ar:Me]\n[00:12.00]One\n[00:17.20]Two", "\nOne\nTwo"),
        (
            "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}♪ La la ♪\n\n2\n00:00:02,000 --> 00:00:03,000\n[door]\n- No.",
            "La la. [door].\n- No.",
        ),
    ],
)
def test_numbers_times_and_styles_are_removed(text: str, said: str) -> None:
    assert strip_captions(TrackedText.of(text), "en-US").text == said


@pytest.mark.parametrize("text", ["At 10:30 --> left", "1\n2\n3", "WEBVTT is a format", "[12:30] Hello"])
def test_everything_else_stays(text: str) -> None:
    assert strip_captions(TrackedText.of(text), "en-US").text == text
