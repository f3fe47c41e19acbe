"""Finds words in a script that the language of a text does not use, and the language whose voice says them.

Why the text's own G2P does not say them: it drops them, or names their letters ("Cyrillic letter pe").

Why a single letter is left to that G2P: it is a sign (π, α, ж), and a reader says its name.
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
"""Script, as Unicode names it → the language of its words; of several in espeak-ng, the one with the most speakers."""

_OWN: Final = {"ja": ("Hiragana", "Katakana", "Han", "Latin"), "zh": ("Han",), "hi": ("Devanagari", "Latin")}
_NAMES_LETTERS: Final = frozenset({"Cyrillic", "Greek", "Arabic", "Hebrew", "Georgian", "Armenian", "Devanagari"})
"""Scripts whose single letters every G2P except Mandarin's can name."""


def find_foreign(text: str, language: str) -> Iterator[tuple[int, int, str]]:
    """Yields start, end and language (BCP 47 tag) of each run of words of `text` that is in no script of `language`.

    Spaces and marks between two words of a run belong to it; marks around the run do not.
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
        # Han with kana next to it is Japanese; Han alone is Chinese.
        runs.append(_run("Japanese", r"\p{Han}*+[\p{Hiragana}\p{Katakana}][\p{Hiragana}\p{Katakana}\p{Han}ー々]*+"))
    scripts = (script for script in _LANGUAGES if script not in own)
    runs.extend(_run(script, rf"\p{{{script}}}[\p{{{script}}}\p{{M}}\u200c\u200d]*+") for script in scripts)
    return regex.compile("|".join(runs))


def _run(name: str, word: str) -> str:
    return rf"(?P<{name}>{word}(?:[ '\-]++{word})*+)"
