"""Pauses that a user asks for in a text, `[pause:1.5s]`, and how much silence a text may ask for in all.

Why a limit on the whole: one pause takes eleven characters and lasts as long as a page of speech, so a short text could ask for
days of sound.
"""

import re
from typing import Final

MAX_PAUSE_SECONDS: Final = 60.0
"""Of one pause; a longer one is as long as this."""
MAX_PAUSES_SECONDS: Final = 600.0
"""Of all pauses of a request for speech."""
MAX_JOB_PAUSES_SECONDS: Final = 3600.0
"""Of all pauses of a job."""

PAUSE: Final = r"\[pause:\s?(\d{1,5}(?:\.\d{1,3})?)\s?(ms|s)\]"
"""A pattern, in whichever case."""

FIND_PAUSE: Final = re.compile(PAUSE, re.IGNORECASE)
PRIVATE: Final = re.compile("[\U000f0000-\U000fffff]")
"""Characters that have a meaning of Koe's own; a user's are read as spaces."""


def pause_seconds(match: re.Match[str]) -> float:
    """How long what FIND_PAUSE has found lasts."""
    return min(float(match[1]) / (1000 if match[2].lower() == "ms" else 1), MAX_PAUSE_SECONDS)


def asked_seconds(text: str) -> float:
    """The silence that a text asks for in all."""
    return sum(map(pause_seconds, FIND_PAUSE.finditer(PRIVATE.sub(" ", text))))
