"""Pauses in a text, `[pause:1.5s]`, and the limit on the silence in one text.

Why a limit on the total: one pause takes eleven characters and lasts as long as a page of speech, so a short text could ask for
days of audio.
"""

import re
from typing import Final

MAX_PAUSE_SECONDS: Final = 60.0
"""Longest pause; a longer one is shortened to this."""
MAX_PAUSES_SECONDS: Final = 600.0
"""Limit of all pauses in a request for speech."""
MAX_JOB_PAUSES_SECONDS: Final = 3600.0
"""Limit of all pauses in a job."""

PAUSE: Final = r"\[pause:\s?(\d{1,5}(?:\.\d{1,3})?)\s?(ms|s)\]"
"""A pattern; case is ignored."""

FIND_PAUSE: Final = re.compile(PAUSE, re.IGNORECASE)
PRIVATE: Final = re.compile("[\U000f0000-\U000fffff]")
"""Private characters to which Koe gives a meaning; in a user's text they count as spaces."""


def pause_seconds(match: re.Match[str]) -> float:
    """Length of a pause that FIND_PAUSE has found."""
    return min(float(match[1]) / (1000 if match[2].lower() == "ms" else 1), MAX_PAUSE_SECONDS)


def asked_seconds(text: str) -> float:
    """Total silence that a text asks for."""
    return sum(map(pause_seconds, FIND_PAUSE.finditer(PRIVATE.sub(" ", text))))
