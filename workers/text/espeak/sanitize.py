"""Makes text safe for espeak-ng: divides or removes whatever makes it write beyond its tables and crash its process.

How it was found: by giving espeak-ng random text in all of its languages. A few of them (Danish, Hindi, Konkani, Malayalam,
Vietnamese and others) change to another language for text that they cannot read, and fail if that happens within a word, after
a hyphen at the beginning of a clause (`?-c`), or at a script without a language. The removed text could not be said.

Why long runs are divided: espeak-ng collects letters with full stops between them in 80 bytes, and takes each `'s` for one more
ending of the same word, without a limit for either. No abbreviation is that long.
"""

from typing import Final

import regex

from workers.text.tracked_text import TrackedText

_NAMES: Final = """
Latin Greek Cyrillic Arabic Hebrew Hangul Georgian Armenian Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada
Malayalam Sinhala Thai Myanmar Ethiopic
"""
_SCRIPTS: Final = _NAMES.split()
"""Scripts whose words espeak-ng can say in some language, and which do not mix with each other within a word."""
_EAST_ASIAN: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_ANY: Final = r"\p{Common}\p{Inherited}"
"""Characters that belong to every script."""
_KNOWN: Final = "".join(rf"\p{{{script}}}" for script in _SCRIPTS) + _EAST_ASIAN + _ANY

_UNSAYABLE: Final = regex.compile(
    rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_KNOWN}]]|\p{{Braille}}|(?<![\p{{L}}\p{{M}}])\p{{M}}|[\uff9e\uff9f]", regex.V1
)
"""The last two characters are marks of half-width kana."""
_LOOSE_HYPHEN: Final = regex.compile(
    r"(?<![\p{Latin}0-9]\p{M}{0,4})[-‐‑](?!(?<=\A-|\s-)[0-9])|[-‐‑](?![\p{Latin}0-9])", regex.V1
)
"""A hyphen that neither joins two Latin words or numbers nor is a minus."""
_BEFORE_ANOTHER_SCRIPT: Final = regex.compile(
    "|".join(
        [
            *(rf"\p{{{script}}}\p{{M}}{{0,4}}+(?=[\p{{L}}--[\p{{{script}}}{_ANY}]])" for script in _SCRIPTS),
            rf"{_EAST_ASIAN}(?=[\p{{L}}--[{_EAST_ASIAN}{_ANY}]])",
        ]
    ),
    regex.V1,
)
_APOSTROPHES: Final = "'’‘‛ʼʹ´′`＇"
_SIGNS: Final = r"[[\s\p{P}]--[.]]{0,3}+"
_DOTTED: Final = rf"[^\s.\p{{Nd}}]{_SIGNS}\.++"
_LONG_RUN: Final = regex.compile(
    rf"(?P<head>(?:{_DOTTED}{_SIGNS}){{9}}[^\s.\p{{Nd}}]){_SIGNS}\.++(?={_SIGNS}{_DOTTED})"
    rf"|(?P<endings>(?:[sS][{_APOSTROPHES}]++){{10}}+)",
    regex.V1,
)
"""Ten letters of at most four bytes take half of the 80 bytes; espeak-ng survives sixty endings."""


def divide_runs(text: str) -> str:
    """Returns `text` with a comma or a space in every run of dotted letters or of `s'` that is longer than any abbreviation."""
    return str(_LONG_RUN.sub(_divide, text))


def sanitize(tracked: TrackedText) -> TrackedText:
    """Returns `tracked` in a form that espeak-ng survives. Most text stays as it is."""
    plain = tracked.sub(_UNSAYABLE, " ").sub(_LOOSE_HYPHEN, " ")
    apart = plain.sub(_BEFORE_ANOTHER_SCRIPT, lambda match: f"{match[0]} ")
    # Last, since the removals have brought letters together.
    return apart.sub(_LONG_RUN, _divide)


def _divide(match: "regex.Match[str]") -> str:
    # A space alone is not enough: in some scripts a full stop with a space after it still counts as one between letters.
    return f"{match['head']}, " if match["head"] else f"{match['endings']} "
