"""Removes what is in texts for the eye alone: soft hyphens, characters of no width, and ligatures.

Why nothing else is changed: Koe's normalization reads the rest, and knows the language.
"""

import re
from typing import Final

_DROPPED: Final = re.compile("[\u00ad\u200b\u2060\ufeff]")
_LIGATURES: Final = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
}


def tidy(text: str) -> str:
    """The text without soft hyphens and other invisible characters, and with ligatures as letters."""
    return _DROPPED.sub("", text).translate(_LIGATURES)
