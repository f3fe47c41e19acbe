"""Normalization of English: every number becomes words, and the text around it decides which.

`dates` decides which numbers are years; all other numbers are cardinals.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import English
from workers.text.normalization import amounts, numerals, western
from workers.text.normalization.english import (
    books,
    codes,
    comparisons,
    dates,
    hyphens,
    letters,
    measures,
    months,
    names,
    old_money,
    pairs,
    programs,
    results,
    romans,
    scales,
    scores,
    slashes,
    statutes,
)
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en")

_GROUPS: Final = re.compile("[0-9]+")
_HYPHENATED: Final = re.compile(r"(?<![\w-])[0-9]{1,9}+(?:-[0-9]{1,9}+){2,9}+(?![\w-])")
_DOTTED: Final = re.compile(
    r"(?<![\w.])(?P<dotted>[0-9]{1,5}+(?:\.[0-9]{1,5}+){2,9}+)(?!\w|\.[0-9])(?::(?P<port>[1-9][0-9]{1,4})(?!\w))?"
)


def rules(tag: str) -> Iterator[Rule]:
    """All rules of English, in order. `tag` is `en` or `en-GB`."""
    locale = loader.english(tag)
    yield from western.addresses(locale)
    yield from programs.rules()
    yield from results.rules()
    yield from comparisons.rules()
    yield from books.rules()
    yield romans.labelled()
    yield from statutes.rules()
    yield from names.rules()
    yield from letters.RULES
    yield from months.rules(locale)
    yield from western.abbreviations(locale)
    yield names.stops()
    yield from slashes.quantities(locale)
    yield from measures.rules()
    yield from slashes.rules(locale)
    yield from _NAMED
    yield from western.phones(numerals.spell_digits, locale.plus)
    yield from scores.rules(locale)
    yield from pairs.rules()
    yield from hyphens.rules()
    yield from codes.rules()
    yield from western.dates(locale)
    yield from dates.DATE
    yield from dates.TIMES
    yield dates.MILITARY
    yield dates.RATIO
    yield from dates.DECADES
    yield from scales.durations()
    yield from old_money.rules()
    yield from amounts.money(locale)
    yield scales.scales(locale)
    yield _HALF_A
    yield from measures.compound_units(locale)
    yield from amounts.fractions(locale)
    yield from amounts.measures(locale)
    yield names.words()
    yield from _POWERS
    yield Rule(_HYPHENATED, lambda match: _verbalize_groups(match[0]))
    yield Rule(_DOTTED, _verbalize_dotted)
    yield from western.ranges(locale)
    yield from romans.rules()
    yield from _SHOUTED
    yield from _INITIALISMS
    yield _SLASH
    yield _after_let(locale)
    yield from western.signs(locale)
    yield _numbers(locale)


def _numbers(locale: English) -> Rule:
    """The rule for all remaining numbers. Spaces separate their words from adjacent letters."""
    number = numerals.number(locale)

    def verbalize(match: re.Match[str]) -> str:
        words = _verbalize_number(match, british=not locale.is_month_first)
        start, end = match.span()
        before, after = match.string[max(0, start - 1) : start], match.string[end : end + 1]
        return f"{' ' * before.isalpha()}{dates.begin(words, match)}{' ' * after.isalpha()}"

    return Rule(
        re.compile(
            rf"(?:(?<![\w)\]])(?P<minus>[-−])(?=\.?[0-9])|(?<=[A-Za-z])-(?=[0-9]))?"
            rf"(?:(?<![\w.])\.(?P<only>[0-9]++)|(?P<n>{number}))(?P<suffix>(?:st|nd|rd|th)(?!\w))?+"
        ),
        verbalize,
    )


def _after_let(locale: English) -> Rule:
    """The rule for comparisons after *for*, *any* and the like: any n ≥ 1."""
    words = any_of([*locale.math.after_let, *(word.capitalize() for word in locale.math.after_let)])
    return Rule(
        re.compile(rf"(?P<let>\b(?:{words}) (?P<name>[A-Za-z])) ?(?P<sign>[<>≥≤≠]) ?(?=[0-9A-Za-z])"),
        lambda match: (
            None
            if match["name"] in "aAI" and match["sign"] in "<>"
            else f"{match['let']} {locale.signs[match['sign']].removeprefix(locale.math.verb)} "
        ),
        needs_digit=False,
    )


def _verbalize_number(match: re.Match[str], *, british: bool) -> str:
    minus = "minus " if match["minus"] else " " if match[0][0] == "-" else ""
    if match["only"]:
        return minus + numerals.decimal("", match["only"], british=british)
    whole, _, fraction = match["n"].replace(",", "").partition(".")
    if fraction:
        return minus + numerals.decimal(whole, fraction, british=british)
    if match["suffix"]:
        is_ordinal = match["suffix"] == _suffix(whole)
        return minus + (
            numerals.ordinal(whole, british=british)
            if is_ordinal
            else f"{numerals.cardinal(whole, british=british)} {match['suffix']}"
        )
    if not match["minus"] and dates.is_year(match):
        return minus + numerals.year(whole, british=british)
    return minus + numerals.cardinal(whole, british=british)


def _suffix(digits: str) -> str:
    """The ending of the ordinal: 1st, 12th, 22nd."""
    return "th" if digits[-2:-1] == "1" else {"1": "st", "2": "nd", "3": "rd"}.get(digits[-1], "th")


def _verbalize_dotted(match: re.Match[str]) -> str:
    """A number with several dots, and the port after an IP address."""
    words = " dot ".join(numerals.cardinal(part, british=False) for part in match["dotted"].split("."))
    return f"{words} port {pairs.say(match['port'])}" if match["port"] else words


def _verbalize_groups(text: str) -> str:
    return ", ".join(map(numerals.spell_digits, _GROUPS.findall(text)))


def _spell(match: re.Match[str]) -> str:
    """The letters of an initialism: with full stops where a sentence may end, for then that end is found."""
    return ".".join(match[0]) if match.string.startswith(".", match.end()) else _LETTERS[match[0]]


_LETTERS: Final = {"US": "U S", "WHO": "W H O", "IT": "I T", "SOS": "S O S"}
_INITIALISMS: Final = (
    # Ordinary words in a text in capitals; spelled where only a name is possible.
    Rule(
        re.compile(
            r"(?:(?=US|WHO)(?:(?<=\b[Tt]he )|(?<=\b[Ii]n )|(?<=\b[Aa] )|(?<=\bof )|(?<=\bfrom )|(?<=\bacross )))(?:US|WHO)"
            r"(?![\w']|\.\w| [A-Z]{2})"
            rf"|(?<!\w )(?<!\w)US(?= [a-z]{{3}})|(?<!\w)SOS(?!\w)"
            rf"|(?<!\w)WHO(?= (?:{any_of(_WORDS.after_who)})\b)|(?<!\w)IT(?= (?:{any_of(_WORDS.after_it)})\b)"
        ),
        _spell,
        needs_digit=False,
    ),
)

_SHOUTED: Final = (
    # Words that engines spell when they are in capitals.
    Rule(
        re.compile(
            r"(?=[IB])(?<![\w.'&/-])(?:IS|BE)(?![\w'&/-]|\.\w)|(?<=[A-Za-z] )OR(?= [A-Za-z])"
            r"|(?:(?<=[A-Z]{2} )|(?<=[A-Z]{2}, ))IT(?![\w'&/-])|(?<!\w)IT(?= [A-Z]{2})"
        ),
        lambda match: match[0].capitalize(),
        needs_digit=False,
    ),
    # AT&T
    Rule(re.compile(r"(?<!\w)AT&T(?!\w)"), "A.T. and T", needs_digit=False),
)
_SIGNS: Final = {"<": "is less than ", ">": "is greater than "}
_NAMED: Final = (
    # v2.0.1, 16:9, 10x, <5
    Rule(re.compile(r"(?<!\w)[vV](?=[0-9]{1,4}\.[0-9])"), "version "),
    Rule(re.compile(r"(?<=[0-9])x(?!\w| ?[-+=*/^²])"), " times"),
    Rule(re.compile(r"(?<![\w<>=])<(?=[$€£]?[0-9])"), "less than "),
    Rule(re.compile(r"(?<![\w<>=-])>(?=[$€£]?[0-9])"), "more than "),
    Rule(re.compile(r"(?<=[\w)] )(?P<sign>[<>]) (?=\.[0-9])"), lambda match: _SIGNS[match["sign"]]),
    # 21.30 GMT
    Rule(
        re.compile(
            r"(?<![\w.,:/])(?P<hour>[01]?[0-9]|2[0-3])\.(?P<minute>[0-5][0-9])(?= (?:GMT|BST|UTC|CET|CEST|EST|EDT|hrs|hours)\b)"
        ),
        lambda match: f"{match['hour']}:{match['minute']}",
    ),
    Rule(re.compile(r"(?<!\w)([A-Za-z])\+\+(?!\+)"), lambda match: f"{match[1]} plus plus", needs_digit=False),
    Rule(re.compile(r"(?<!\w)([A-G])#(?!\w)"), lambda match: f"{match[1]} sharp", needs_digit=False),
    Rule(re.compile(r"(?<!\w)#(?=[0-9])"), "number "),
    Rule(re.compile(r"(?<![\w#])#(?=[A-Za-z])"), "hashtag ", needs_digit=False),
    Rule(re.compile(r"(?<![\w~])~ ?(?=[$€£]?[0-9])"), "about "),
    Rule(re.compile(r"(?<=[0-9])[x×](?=[0-9])|(?<=[0-9]) [x×] (?=[0-9])"), " by "),
    Rule(re.compile(r"\b[Aa]nd/or\b"), lambda match: f"{match[0][:3]} or", needs_digit=False),
    Rule(
        re.compile(rf"\b(?i:{any_of(_WORDS.pronouns)})\b(?!/)"),
        lambda match: _WORDS.pronouns[match[0].lower()],
        needs_digit=False,
    ),
    Rule(re.compile(r"(?<![\w/])w/o(?![\w/])"), "without", needs_digit=False),
    Rule(re.compile(r"(?<![\w/])c/o(?= [A-Z])"), "care of", needs_digit=False),
    Rule(re.compile(r"(?<![\w/])w/ ?(?=\w)"), "with ", needs_digit=False),
    Rule(re.compile(r"(?<=[A-Z])/(?=[A-Z]{2})"), " ", needs_digit=False),
    Rule(re.compile(r"(?<![\w/])24/7(?![\w/])"), "twenty-four seven"),
    Rule(re.compile(r"(?<![\w/])9/11(?![\w/])"), "nine eleven"),
)
_SLASH: Final = Rule(re.compile(r"(?<=[^\W\d_])/(?=[^\W\d_])"), " slash ", needs_digit=False)
_HALF_A: Final = Rule(
    re.compile(r"(?<![\w.,/])(?:½|1/2) (?=an? )|(?<![\w.,/])½(?=-[a-z])"), lambda match: "half" + " " * match[0].endswith(" ")
)

_POWERS: Final = (
    Rule(re.compile(r"(?<=\w)(?:\^2(?!\w)|²)"), " squared", needs_digit=False),
    Rule(re.compile(r"(?<=\w)(?:\^3(?!\w)|³)"), " cubed", needs_digit=False),
    Rule(re.compile(r"(?<=\w)\^(?=\w)"), " to the power of ", needs_digit=False),
    Rule(re.compile(r"(?<=[0-9]) ?\* ?(?=[0-9])"), " times "),
)
