"""Text made plain before it is spoken: what is safe to change in every language.

Why no numbers, dates or units here: they are read by rules of each language, and Misaki and espeak-ng have some of their own.
"""

import re
import unicodedata
from typing import Final

import regex

_STRAIGHT: Final = str.maketrans(dict.fromkeys("’‘‛ʼ＇", "'") | dict.fromkeys("“”„‟＂", '"'))
_INVISIBLE: Final = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_EMOJI: Final = regex.compile(
    r"[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}]+(?:[\ufe0f\u200d\u20e3\U000e0020-\U000e007f]+"
    r"[\p{Extended_Pictographic}\p{Emoji_Modifier}]*)*"
)
"""Pictures and flags, with what joins and colours them: a reader passes over them."""
_IDLE_JOINER: Final = re.compile("(?<![\u0600-\u0dff])[\u200c\u200d]")
"""Zero-width joiners shape letters from Arabic to Sinhala; elsewhere they say nothing."""
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_NEW_LINE: Final = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028]")
_BLANK_LINES: Final = re.compile(r"\n[^\S\n]*\n\s*")
_SPACES: Final = re.compile(r"\s+")


def clean(text: str) -> str:
    """`text` without control characters and lone surrogates: what even a user who wants no normalisation cannot mean."""
    return _UNPRINTABLE.sub(" ", _NEW_LINE.sub("\n", text)).strip()


def normalize(text: str, language: str) -> str:
    r"""`text` in NFC, with straight quotes, no emoji and no invisible characters, in lines of words.

    A single new line and any run of white space become one space; one or more blank lines become one paragraph break `\n\n`.
    Takes time linear in the text. `language` is a BCP 47 tag; no rule depends on it yet.
    """
    visible = _IDLE_JOINER.sub("", _INVISIBLE.sub("", _EMOJI.sub(" ", clean(text))))
    plain = unicodedata.normalize("NFC", visible).translate(_STRAIGHT)
    paragraphs = _BLANK_LINES.split(plain.replace("\u2029", "\n\n"))
    return "\n\n".join(filter(None, (_SPACES.sub(" ", paragraph).strip() for paragraph in paragraphs)))
