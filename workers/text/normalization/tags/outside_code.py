"""Finds tags, but not those that a text shows as code: `<think>` between backticks is a word and no tag."""

import re
from collections.abc import Iterator
from typing import Final

from app.core.speech.characters import HAN_AND_KANA
from app.core.speech.tags import CODE

_UNSPACED: Final = re.compile(f"[{HAN_AND_KANA}]")


def or_code(pattern: str) -> re.Pattern[str]:
    """A pattern that matches code as its group `code`, and otherwise `pattern`."""
    return re.compile(f"{CODE}|{pattern}", re.IGNORECASE)


def find_outside(pattern: re.Pattern[str], text: str, start: int = 0) -> Iterator[re.Match[str]]:
    """Yields the matches of a pattern of `or_code` that are no code, from `start` on."""
    return (match for match in pattern.finditer(text, start) if match["code"] is None)


def gap(text: str, start: int, end: int) -> str:
    """What stands for a removed part of a text: a space where two words would meet, else nothing."""
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    is_unspaced = _UNSPACED.match(before) and _UNSPACED.match(after)
    return " " if before.strip() and after.isalnum() and not is_unspaced else ""
