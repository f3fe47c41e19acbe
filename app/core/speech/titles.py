"""Titles that are safe to show: in file names, tags and lists.

Why some invisible characters are removed and not refused: they are often part of copied text. Characters that force the
direction of writing can make a name look like another (U+202E shows "gnp.exe" as "exe.png"), and right-to-left titles do not
need them.
"""

import re
from typing import Final

CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that end a line or move a cursor."""
_FORCED: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
"""Marks and overrides of direction, and characters without a meaning within a line."""


def show_title(title: str) -> str:
    """`title` in one line, without characters that make it look like another one."""
    return _FORCED.sub("", CONTROL.sub(" ", title)).strip()
