"""Pauses in a text, `[pause:1.5s]` and SSML's `break`, and the limit on the silence in one text.

Why a limit on the total: one pause takes eleven characters and lasts as long as a page of speech, so a short text could ask for
days of audio.
"""

import re
from typing import Final

from app.core.speech.boundaries import Ending
from app.core.speech.tags import find_breaks

PAUSE_SECONDS: Final[dict[Ending, float]] = {
    Ending.PARAGRAPH: 0.7,
    Ending.SENTENCE: 0.35,
    Ending.CLAUSE: 0.15,
    Ending.CUT: 0.0,
}
"""Length of the pause after a segment, by its ending, at speed 1."""

MAX_PAUSE_SECONDS: Final = 60.0
"""Longest pause; a longer one is shortened to this."""
MAX_PAUSES_SECONDS: Final = 600.0
"""Limit of all pauses in a request for speech."""
MAX_JOB_PAUSES_SECONDS: Final = 3600.0
"""Limit of all pauses in a job."""

PAUSE: Final = r"\[pause:\s?(\d{1,5}(?:\.\d{1,3})?)\s?(ms|s)\]"
"""A pattern; case is ignored."""

FIND_PAUSE: Final = re.compile(PAUSE, re.IGNORECASE)
PRIVATE: Final = re.compile("[\U000f0000-\U0010ffff]")
"""Private characters to which Koe gives a meaning; in a user's text they count as spaces."""


def pause_seconds(match: re.Match[str]) -> float:
    """Length of a pause that FIND_PAUSE has found."""
    return min(float(match[1]) / (1000 if match[2].lower() == "ms" else 1), MAX_PAUSE_SECONDS)


def asked_seconds(text: str, *, reads_tags: bool = True) -> float:
    """Total silence that a text asks for. `reads_tags`: whether the text is normalized, so that its SSML counts."""
    public = PRIVATE.sub(" ", text)
    asked = sum(map(pause_seconds, FIND_PAUSE.finditer(public)))
    return asked + sum(min(seconds, MAX_PAUSE_SECONDS) for seconds in find_breaks(public)) if reads_tags else asked
