"""Rules for words that Hindi writes short: months and weekdays, dotted initials, Latin initialisms."""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Hindi
from workers.text.normalization.hindi.numbers import END, LETTERS
from workers.text.normalization.initialisms import initialisms, spell
from workers.text.normalization.rules import Rule, any_of
from workers.text.normalization.western import hundreds

_START: Final = rf"(?<![\w.{LETTERS}])"
_SYLLABLE: Final = re.compile("[\u0904-\u0939\u0958-\u095f]\u093c?[\u0900-\u0903\u093e-\u094c]{0,2}")
_CAPITALS: Final = re.compile(" [A-Z]{2}")
_CAPITALS_BEFORE: Final = re.compile(r"[A-Z]{2} \Z")
_MIN_SYLLABLES: Final = 2
_MAX_SPELLED: Final = 5
"""Letters of the longest Latin word in capitals that is spelled without being in a list."""


def dots() -> Rule:
    """The rule for Devanagari's own sign of an abbreviation, which becomes a full stop: डॉ॰."""
    return Rule(re.compile(rf"(?<=[{LETTERS}])॰"), ".", needs_digit=False)


def dates(locale: Hindi) -> Iterator[Rule]:
    """The rules for months and weekdays that are written short: 15 अग. 1947, जन. 2024, सोम."""
    months = any_of({name.rstrip("॰.") for name in locale.short_months})
    full = {name.rstrip("॰."): word for name, word in locale.short_months.items()}
    yield Rule(
        re.compile(
            rf"(?<=[0-9] )(?P<a>{months})(?:\.(?!\w)|(?= [0-9]{{4}}(?!\w)))"
            rf"|{_START}(?P<b>{months})(?:\.,? (?=[0-9])|(?= [0-9]{{4}}(?!\w)))"
        ),
        lambda match: full[match["a"] or match["b"]] + " " * match[0].endswith(" "),
    )
    yield Rule(
        re.compile(rf"{_START}(?P<day>{any_of(locale.short_days)})\.(?!\w)"),
        lambda match: locale.short_days[match["day"]],
        needs_digit=False,
    )


def english(locale: Hindi) -> Iterator[Rule]:
    """The rules for English months and ordinals in a Hindi text: 15 August 1947, Nov 28, 1st."""
    months = {name: i for i, name in enumerate(locale.english_months)} | {
        name[:3]: i for i, name in enumerate(locale.english_months)
    }
    month = rf"(?P<month>{any_of(months)})\.?(?!\w)"
    before, after = r"(?<![\w.,/-])(?<![A-Za-z] )", "(?!,? [A-Za-z])"
    day, year = "(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?(?!\\w)", "(?:,? (?P<year>[0-9]{4}))?(?!\\w)"

    def verbalize(match: re.Match[str]) -> str:
        year = f" {hundreds(match['year'], locale)}" if match["year"] else ""
        return f"{match['day']} {locale.months[months[match['month']]]}{year}"

    yield Rule(re.compile(f"{before}{day} {month}{year}{after}"), verbalize)
    yield Rule(re.compile(f"{before}{month} {day}{year}{after}"), verbalize)
    ordinals = locale.english_ordinals
    yield Rule(
        re.compile(rf"(?<![\w.,])(?P<n>[1-9]|1[0-2])(?:st|nd|rd|th)(?!\w){after}"), lambda match: ordinals[int(match["n"]) - 1]
    )


def per_hour() -> Rule:
    """The rule that writes kilometers per hour in the form of the table of units: कि.मी./घं."""
    return Rule(re.compile(rf"(?:कि\. ?मी\.|किमी) ?/ ?(?:घं\.|(?:घं|घंटे)(?![{LETTERS}]))"), "किमी/घंटा", needs_digit=False)


def before_names(locale: Hindi) -> Rule:
    """The rule for short forms before a name: मो. रफ़ी."""
    return Rule(
        re.compile(rf"{_START}(?P<short>{any_of(locale.before_names)})\.(?= (?!नं)[{LETTERS}])"),
        lambda match: locale.before_names[match["short"]],
        needs_digit=False,
    )


def initials(locale: Hindi) -> Iterator[Rule]:
    """The rules for initials with full stops: ए.पी.जे. अब्दुल, के. एल. राहुल, भा.ज.पा."""
    names = any_of(locale.letter_names)

    def dotted(match: re.Match[str]) -> str | None:
        parts = match[0].rstrip(".").split(".")
        if len(parts) < _MIN_SYLLABLES:
            return None
        if all(part in locale.letter_names for part in parts):
            return " ".join(parts)
        is_word = all(map(_SYLLABLE.fullmatch, parts)) and match[0].count(".") >= _MIN_SYLLABLES
        return "".join(parts) if is_word else None

    yield Rule(re.compile(rf"{_START}(?:[{LETTERS}]{{1,8}}\.){{1,6}}(?:[{LETTERS}]{{1,8}}{END})?"), dotted, needs_digit=False)
    yield Rule(
        re.compile(rf"{_START}{names}\. (?:{names}\. ){{1,4}}(?=[{LETTERS}])"),
        lambda match: match[0].replace(".", ""),
        needs_digit=False,
    )
    sure = any_of(locale.letter_names - locale.like_words)
    yield Rule(re.compile(rf"{_START}(?P<name>{sure})\.(?= [{LETTERS}])"), lambda match: match["name"], needs_digit=False)


def latin(locale: Hindi) -> Iterator[Rule]:
    """The rules for Latin words in capitals: names of the letters in Devanagari, or the words of a list."""
    yield from initialisms(locale)

    def verbalize(match: re.Match[str]) -> str | None:
        is_in_capitals = _CAPITALS_BEFORE.search(match.string, max(0, match.start() - 3), match.start()) or _CAPITALS.match(
            match.string, match.end()
        )
        return None if is_in_capitals else spell(match[0], locale.initialisms)

    yield Rule(
        re.compile(rf"(?<![\w.&@/+-])[A-Z]{{2,{_MAX_SPELLED}}}(?![\w&@/+]|\.\w|-[A-Za-z])"), verbalize, needs_digit=False
    )
    # M.A.
    yield Rule(
        re.compile(r"(?<![\w.])(?:[A-Z]\.){2,5}(?!\w)"),
        lambda match: spell(match[0].replace(".", ""), locale.initialisms),
        needs_digit=False,
    )
