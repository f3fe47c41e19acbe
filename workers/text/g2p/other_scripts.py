"""Words in a script that the language of a text does not have, and the language whose voice says them.

Why not what the G2P of the text makes of them: it drops them, or names their letters ("Cyrillic letter pe").

Why a single letter stays where it is: there it is a sign (π, α, ж), and its name is what a reader says.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

import regex

_LANGUAGES: Final = {
    **{"Cyrillic": "ru", "Greek": "el", "Arabic": "ar", "Hebrew": "he", "Hangul": "ko", "Georgian": "ka", "Armenian": "hy"},
    **{"Devanagari": "hi", "Bengali": "bn", "Gurmukhi": "pa", "Gujarati": "gu", "Oriya": "or", "Tamil": "ta", "Telugu": "te"},
    **{"Kannada": "kn", "Malayalam": "ml", "Sinhala": "si", "Thai": "th", "Myanmar": "my", "Ethiopic": "am"},
    **{"Hiragana": "ja", "Katakana": "ja", "Han": "zh", "Latin": "en-US"},
}
"""Script, as Unicode names it → the language of its words: of several, the one with the most speakers that espeak-ng has."""

_OWN: Final = {"ja": ("Hiragana", "Katakana", "Han", "Latin"), "zh": ("Han",), "hi": ("Devanagari", "Latin")}
_NAMES_LETTERS: Final = frozenset({"Cyrillic", "Greek", "Arabic", "Hebrew", "Georgian", "Armenian", "Devanagari"})
"""Scripts whose single letters every G2P but that of Mandarin can name."""


def find_foreign(text: str, language: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and language (BCP 47 tag) of each run of words of `text` that is in no script of `language`.

    What stands between two of its words belongs to a run; the marks around it do not.
    """
    for match in _pattern(language).finditer(text):
        group = match.lastgroup or ""
        if not (group in _NAMES_LETTERS and language != "zh" and match.end() - match.start() == 1):
            yield match.start(), match.end(), "ja" if group == "Japanese" else _LANGUAGES[group]


@cache
def _pattern(language: str) -> "regex.Pattern[str]":
    own = _OWN.get(language, ("Latin",))
    runs = []
    if "Han" not in own:
        # Han with kana about it is Japanese, alone it is Chinese.
        runs.append(_run("Japanese", r"\p{Han}*+[\p{Hiragana}\p{Katakana}][\p{Hiragana}\p{Katakana}\p{Han}ー々]*+"))
    scripts = (script for script in _LANGUAGES if script not in own)
    runs.extend(_run(script, rf"\p{{{script}}}[\p{{{script}}}\p{{M}}\u200c\u200d]*+") for script in scripts)
    return regex.compile("|".join(runs))


def _run(name: str, word: str) -> str:
    return rf"(?P<{name}>{word}(?:[ '\-]++{word})*+)"
