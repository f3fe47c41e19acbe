"""Text that espeak-ng survives: what makes it write beyond its tables and take the process along is parted or left out.

Found by giving it random text in all of its languages: a few of them (Danish, Hindi, Konkani, Malayalam, Vietnamese and others)
change to another for what they cannot read, and lose their way where that happens within a word, behind a hyphen at a clause's
beginning (`?-c`), or at a script that has no language at all. What is left out could not have been said.

Why long runs are parted: letters with full stops between them are gathered in 80 bytes, and each `'s` is taken for one more
ending of the same word, without a limit of either. No abbreviation is as long as that.
"""

from typing import Final

import regex

from workers.text.tracked_text import TrackedText

_NAMES: Final = """
Latin Greek Cyrillic Arabic Hebrew Hangul Georgian Armenian Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada
Malayalam Sinhala Thai Myanmar Ethiopic
"""
_SCRIPTS: Final = _NAMES.split()
"""Those whose words espeak-ng can say in some language, and which are written apart from each other."""
_EAST_ASIAN: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_ANY: Final = r"\p{Common}\p{Inherited}"
"""What belongs to every script."""
_KNOWN: Final = "".join(rf"\p{{{script}}}" for script in _SCRIPTS) + _EAST_ASIAN + _ANY

_UNSAYABLE: Final = regex.compile(
    rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_KNOWN}]]|\p{{Braille}}|(?<![\p{{L}}\p{{M}}])\p{{M}}|[\uff9e\uff9f]", regex.V1
)
"""The last two are marks of half-width kana."""
_LOOSE_HYPHEN: Final = regex.compile(
    r"(?<![\p{Latin}0-9]\p{M}{0,4})[-‐‑](?!(?<=\A-|\s-)[0-9])|[-‐‑](?![\p{Latin}0-9])", regex.V1
)
"""One that neither joins two Latin words or numbers nor is a minus."""
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
"""Ten letters of at most four bytes are half of what there is room for; of endings it survives sixty."""


def part_runs(text: str) -> str:
    """`text` with a comma or a space in every run of dotted letters and of `s'` that is longer than any abbreviation."""
    return str(_LONG_RUN.sub(_part, text))


def sanitize(tracked: TrackedText) -> TrackedText:
    """`tracked` for espeak-ng. Most text is left as it is."""
    plain = tracked.sub(_UNSAYABLE, " ").sub(_LOOSE_HYPHEN, " ")
    apart = plain.sub(_BEFORE_ANOTHER_SCRIPT, lambda match: f"{match[0]} ")
    # Last, since what was left out has brought letters together.
    return apart.sub(_LONG_RUN, _part)


def _part(match: "regex.Match[str]") -> str:
    # A space alone would not do: in some scripts a full stop with a space behind it is one more between letters.
    return f"{match['head']}, " if match["head"] else f"{match['endings']} "
