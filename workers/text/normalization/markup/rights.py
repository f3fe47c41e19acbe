"""Names the sign © before a year or an owner, in the languages whose table of signs has it.

Why before emoji are dropped: Unicode counts © as one of them.
"""

import re
from typing import Final

from workers.text.locales import loader
from workers.text.tracked_text import TrackedText

_COPYRIGHT: Final = re.compile(
    r"(?:(?i:\bcopyright ))?(?:©|\([cC]\)(?= ?(?:19|20)[0-9]{2}\b))\ufe0f? ?(?=(?:19|20)[0-9]{2}\b|[A-Z])"
)


def name_rights(tracked: TrackedText, language: str) -> TrackedText:
    """Replaces © by its word in `language` (BCP 47 tag)."""
    word = getattr(loader.find(language), "signs", {}).get("©")
    if word is None or not _COPYRIGHT.search(tracked.text):
        return tracked
    return tracked.sub(_COPYRIGHT, lambda match: _in_place(word, match))


def _in_place(word: str, match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 2) : match.start()]
    return (word if before.strip() and before.strip()[-1] not in ".!?*_" else word.capitalize()) + " "
