"""Puts one private character in place of each formula, and the words of the formula there when all other rules are done.

Why: the words are final, and no rule may take their letters for units, their numbers for years or their signs for Markdown.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import EastAsian, Western
from workers.text.normalization.formulas import commands, names, plain
from workers.text.normalization.formulas.latex import find_formulas
from workers.text.normalization.formulas.marks import SMALL
from workers.text.normalization.formulas.speech import Speaker
from workers.text.normalization.rules import Rule, apply
from workers.text.tracked_text import TrackedText

_FIRST: Final = 0x100000
_PLACES: Final = re.compile("[\U00100000-\U0010fffd]")
_MAX_FORMULAS: Final = 0xFFF0
_SENTENCE_START: Final = re.compile(r"(?:^|[.!?…][\"')\]]?\s+|\n)\Z")

_POWER_AND_UNIT: Final = re.compile(r"[0-9][⁰¹²³⁴-⁹⁻]{1,6}(?P<unit>[A-Za-z]{1,3}(?:/[A-Za-z]{1,3})?[²³]?)\Z")
_LAST_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9.,^])(?<!\^[-−+])[0-9]{1,15}+(?:[.,][0-9]{1,15}+)?+%?+\Z")
_DIGITS: Final = tuple("0123456789")
_WORDS_AND_UNITS: Final = frozenset({"in", "A", "a", "ha", "mi", "do", "h", "hr", "t", "st", "as"})
"""Units that may be a word after a formula."""
_ENGLISH_SUFFIX: Final = re.compile("(?:th|st|nd|rd|s|i?ème)(?![A-Za-z0-9])")
_LOWER: Final = str.maketrans(names.LOWER)
_PREPARED: Final = (
    *SMALL,
    Rule(plain.PARTICLES, "2.5", needs_digit=False),
    # H~2~O
    Rule(re.compile(r"(?<=[A-Za-z)])~(?P<n>[0-9]{1,4})~"), lambda match: match["n"].translate(_LOWER)),
    Rule(plain.MULTIPLE, "×"),
    Rule(plain.ENERGY, "mc²"),
    Rule(plain.UNIT_POWER, lambda match: {"2": "²", "3": "³"}[match[1]]),
)


class Formulas:
    """The formulas of one text. `take_out` puts a character in place of each, and `put_back` puts its words there."""

    def __init__(self, language: str) -> None:
        self._speaker = speaker(language)
        self._words: list[str] = []

    def take_out(self, tracked: TrackedText) -> TrackedText:
        """Replaces each formula by a character that no rule changes."""
        if self._speaker is None:
            return tracked
        if "<" in tracked.text:
            tracked = tracked.sub(plain.TAGGED, plain.raise_tags)
        if "_" in tracked.text:
            tracked = tracked.sub(plain.INDEX, plain.lower_index)
        tracked = self._take_out_latex(tracked)
        return self._take_out_bars(tracked) if "|" in tracked.text or "‖" in tracked.text else tracked

    def _take_out_bars(self, tracked: TrackedText) -> TrackedText:
        """Replaces terms between bars: |x|."""
        if not self._words:
            tracked = tracked.sub(_PLACES, " ")
        return tracked.sub(
            plain.ABSOLUTE, lambda match: None if (term := plain.say_absolute(match)) is None else self._stand_for(term)
        )

    def _take_out_latex(self, tracked: TrackedText) -> TrackedText:
        if "$" not in tracked.text and "\\" not in tracked.text and "```math" not in tracked.text:
            return tracked
        assert self._speaker is not None
        found = list(find_formulas(tracked.text))
        if not found and "\\" not in tracked.text:
            return tracked
        tracked = tracked.sub(_PLACES, " ")
        changes = (self._with_unit(tracked.text, *one) for one in found)
        marked = tracked.replace((start, end, stand_in) for start, end, stand_in in changes if stand_in is not None)
        marked = apply(marked, commands.TEXT_COMMANDS)
        return apply(marked.sub(commands.bare(), lambda match: self._stand_for(match[0])), (commands.UNKNOWN,))

    def _with_unit(self, text: str, start: int, end: int, formula: str) -> tuple[int, int, str | None]:
        """Returns start and end of a formula with the unit that may follow its last number, and the character for both."""
        assert self._speaker is not None
        unit = self._speaker.quantities.unit_after(text, end) if formula.rstrip("}").endswith(_DIGITS) else None
        if unit is None or unit[1] in _WORDS_AND_UNITS:
            return start, end, self._stand_for(formula)
        words = self._speaker.quantities.with_unit(self._speaker.say(formula), unit[1])
        return start, unit[0], self._stand_for_words(words)

    def take_out_plain(self, tracked: TrackedText) -> TrackedText:
        """Replaces each formula that is written without LaTeX by such a character. The text has no tags and lines any more."""
        if self._speaker is None:
            return tracked
        speaker = self._speaker
        if not self._words and _PLACES.search(tracked.text):
            tracked = tracked.sub(_PLACES, " ")
        marked = apply(
            tracked,
            (
                *_PREPARED,
                *speaker.chemical_rules(self._stand_for_words),
                speaker.quantities.unit_rule,
                speaker.quantities.quotient_rule(self._stand_for_words),
            ),
        )
        marked = marked.sub(
            plain.SCIENTIFIC, lambda match: self._stand_for_words(speaker.say_scientific(match["n"], match["power"]))
        )
        marked = marked.replace(self._find_plain(marked.text))
        marked = marked.sub(
            plain.GREEK, lambda match: self._stand_for_words(speaker.say_greek(match["greek"], match["letter"]))
        )
        marked = marked.sub(
            plain.COMBINED,
            lambda match: self._stand_for_words(speaker.say_accent(plain.ACCENTS[match["mark"]], match["letter"])),
        )
        return marked.sub(plain.LOOSE_SIGN, lambda match: self._stand_for_words(speaker.sign_word(match[0])))

    def say_signs(self, tracked: TrackedText) -> TrackedText:
        """Writes out the signs next to the characters that stand for formulas. The text has no tags any more."""
        return apply(tracked, self._speaker.sign_rules()) if self._speaker is not None and self._words else tracked

    def _find_plain(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yields start and end of each formula that is written without LaTeX, and the character for it."""
        done = 0
        for one in plain.find(text):
            if one.start < done:
                continue
            end, stand_in = self._measured(text, self._without_unit(text, one))
            if stand_in is not None:
                yield one.start, end, stand_in
                done = end

    def _without_unit(self, text: str, found: plain.Found) -> plain.Found:
        """Returns a formula without the unit that follows its last power without a space: 10⁸m/s."""
        assert self._speaker is not None
        match = _POWER_AND_UNIT.search(text, found.start, found.end)
        if match is None or not self._speaker.quantities.is_unit(match["unit"]):
            return found
        end = match.start("unit")
        return plain.Found(found.start, end, plain.to_latex(text[found.start : end]))

    def _measured(self, text: str, found: plain.Found) -> tuple[int, str | None]:
        """Returns the end of a formula and the character for it. A unit after a power is a part of the formula, and a last
        number that has a unit is not.
        """
        assert self._speaker is not None
        if (own := self._speaker.quantities.say_unit(found.formula, text, found.start)) is not None:
            return found.end, self._stand_for_words(own) if own else None
        unit = self._speaker.quantities.unit_after(text, found.end)
        if unit is None or not (
            _LAST_NUMBER.search(text, found.start, found.end) or plain.NUMBER_WITH_POWER.search(found.formula)
        ):
            return found.end, self._stand_for(found.formula)
        number = _LAST_NUMBER.search(text, found.start, found.end)
        if number is None or plain.NUMBER_WITH_POWER.search(found.formula):
            return unit[0], self._stand_for_words(self._speaker.quantities.with_unit(self._speaker.say(found.formula), unit[1]))
        if number.start() == found.start:
            return found.end, None
        head = text[found.start : number.start()]
        return number.start(), (self._stand_for(plain.to_latex(head)) or "") + " "

    def put_back(self, tracked: TrackedText) -> TrackedText:
        """Replaces each character that stands for a formula by the words of the formula."""
        return tracked.sub(_PLACES, self._put_back) if self._words else tracked

    def _stand_for(self, formula: str) -> str | None:
        assert self._speaker is not None
        return self._stand_for_words(self._speaker.say(formula))

    def _stand_for_words(self, words: str) -> str | None:
        if len(self._words) >= _MAX_FORMULAS:
            return None
        self._words.append(words)
        return chr(_FIRST + len(self._words) - 1)

    def _put_back(self, match: re.Match[str]) -> str:
        number = ord(match[0]) - _FIRST
        words = self._words[number] if number < len(self._words) else ""
        text, (start, end) = match.string, match.span()
        before, after = text[max(0, start - 8) : start], text[end : end + 1]
        words = self._speaker.without_verb(words, before) if self._speaker else words
        if self._is_spaced() and words[1:2].isalpha() and _SENTENCE_START.search(before):
            words = words[:1].upper() + words[1:]
        left = " " * (before[-1:].isalnum() and _is_ascii(before[-1:], words[:1]))
        right = " " * ((after.isalnum() or bool(_PLACES.match(after))) and _is_ascii(words[-1:], after))
        if _ENGLISH_SUFFIX.match(text, end):
            right = ""
        return f"{left}{words}{right}"

    def _is_spaced(self) -> bool:
        return self._speaker is not None and self._speaker.is_spaced


@cache
def speaker(language: str) -> Speaker | None:
    """The speaker of a language (BCP 47 tag); None if there are no words of formulas in it."""
    tag = "en-GB" if language.lower() == "en-gb" else language.partition("-")[0].lower()
    locale = loader.western(tag) if tag == "en-GB" else loader.find(tag)
    return Speaker(locale, british=tag == "en-GB") if isinstance(locale, Western | EastAsian) else None


def _is_ascii(left: str, right: str) -> bool:
    """Whether the two characters are parts of words that a space separates."""
    return not (_is_han(left) or _is_han(right))


def _is_han(character: str) -> bool:
    return "\u3040" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"
