"""Numbers that only Spanish or Portuguese writes so: 45 000 habitantes, 1'5 millones, 2do, 1:50.000, 23:59:59, 2x1.

Why a noun must follow a number with spaces: "612 345 678" may be a telephone number.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.locales.western_groups import Iberian
from workers.text.normalization.agreement import count
from workers.text.normalization.numerals import START
from workers.text.normalization.rules import Rule, any_of

_TYPED: Final = {
    "es": {
        "r": "13",
        "er": "13",
        "era": "13",
        "ero": "13",
        "ro": "13",
        "ra": "13",
        "do": "2",
        "da": "2",
        "to": "456",
        "ta": "456",
        "mo": "70",
        "ma": "70",
        "vo": "8",
        "va": "8",
        "no": "9",
        "na": "9",
    },
    "pt": {},
}
"""Language → typed ending of an ordinal → last digits of the numbers that take it."""
_SENTENCE: Final = re.compile(r"[.!?;] ")
_SIZE: Final = r"(?:[.,][0-9]{1,2})? ?[x×] ?[0-9]{1,4}(?:[.,][0-9]{1,2})?"


def numbers(locale: Romance) -> Iterator[Rule]:
    """All rules. They come before times, amounts and measures."""
    words = locale.iberian
    if words is None:
        return
    yield _groups(locale)
    if locale.language == "es":
        yield from _apostrophes()
    yield from _typed_ordinals(locale)
    yield from _signs(locale, words)
    yield from _points(locale)
    yield _seconds(locale)
    yield Rule(re.compile(r"(?<=veces) x (?=[a-z])|(?<=vezes) x (?=[a-z])"), " por ", needs_digit=False)
    if locale.language == "pt":
        yield Rule(
            re.compile(r"(?<=%) a\. ?(?P<unit>[md])\.(?!\w)"), lambda match: " ao mês" if match["unit"] == "m" else " ao dia"
        )
        yield from _by(words)


def _apostrophes() -> Iterator[Rule]:
    """Rules for a time or a decimal that is written with an apostrophe: a las 9'30, 1'5 millones."""
    yield Rule(
        re.compile(r"(?<=las )(?P<hour>[01]?[0-9]|2[0-4])'(?P<minute>[0-5][0-9])(?=,? |\.|$)(?! \w{3,12}(?:es|os|as) )"),
        lambda match: f"{match['hour']}:{match['minute']}",
    )
    yield Rule(
        re.compile(r"(?<![\w.,'])(?P<n>[0-9]{1,4})'(?P<part>[0-9]{1,3})(?![\w'\"]|[.,][0-9])"),
        lambda match: f"{match['n']},{match['part']}",
    )


def _signs(locale: Romance, words: Iberian) -> Iterator[Rule]:
    """Rules for signs of ordinals, money, slashes and plus."""
    # 1ºB, 1º/1/2024, 2º semestre/2023, "+ de 100"
    yield Rule(re.compile(r"(?P<n>[0-9][ºª])(?=[A-Z](?!\w))"), lambda match: f"{match['n']} ")
    codes = any_of(code for code in locale.money if len(code) == len("USD") and code.isalpha())
    yield Rule(
        re.compile(rf"(?<![\w$])(?:US)?\$ ?(?P<n>[0-9](?:[0-9.,]{{0,14}}[0-9])?) ?(?P<code>{codes})(?!\w)"),
        lambda match: f"{match['n']} {match['code']}",
    )
    yield Rule(re.compile(r"(?<![\w/])1[º°]/(?=[01]?[0-9]/[0-9]{2})"), "1/")
    yield Rule(re.compile(r"(?<=[a-zà-ÿ]{4})/(?=(?:19|20)[0-9]{2}(?![\w/]|[.,-][0-9]))"), f" {words.of} ")
    yield Rule(re.compile(r"(?<!\S)\+ (?=de )"), f"{locale.plus} ", needs_digit=False)
    yield Rule(re.compile(r"(?<=[^\W\d_]) / (?=[^\W\d_])|(?<=[0-9]) / (?=[^\W\d_]{2})"), ", ", needs_digit=False)
    if locale.language == "pt":
        yield Rule(
            re.compile(
                r"(?P<before>[Pp]ressão(?: arterial)?(?: de| em| é| foi| a| estava em)?:? [0-9]{1,2})/(?=[0-9]{1,2}(?![\w/]))"
            ),
            lambda match: f"{match['before']} por ",
        )


def _points(locale: Romance) -> Iterator[Rule]:
    """Rules for a time with a point in a list of times, and for scales: 8.30, 9.00 y 10.15 h; 1:50.000."""
    clock = r"(?:[01]?[0-9]|2[0-4])\.[0-5][0-9]"
    yield Rule(
        re.compile(
            rf"(?<![\w.,:/])(?={clock}(?:, {clock}){{0,5}}(?:,| y| e) {clock} ?h(?:oras?)?(?!\w))(?P<hour>[0-9]{{1,2}})\."
        ),
        lambda match: f"{match['hour']}:",
    )
    yield Rule(
        re.compile(r"(?<![\w:.,/])1 ?: ?(?P<n>[0-9]{1,3}(?:[. ][0-9]{3}){1,3}|[0-9]{3,7})(?![\w:]|[.,][0-9])"),
        lambda match: f"1 {locale.to} {re.sub('[. ]', '', match['n'])}",
    )


def _groups(locale: Romance) -> Rule:
    """The rule for thousands with spaces."""
    sign = any_of([*locale.money, "%", "‰"])
    return Rule(
        re.compile(
            rf"(?<![\w.,])(?<![0-9] )[1-9][0-9]{{0,2}}(?:[ \u00a0\u202f][0-9]{{3}}){{1,4}}"
            rf"(?=(?:,[0-9]{{1,2}})? ?(?:{sign}|(?!(?:y|e|a|o|ou|al|ao|ext)(?!\w))[a-zà-ÿ²]))(?![0-9])"
        ),
        lambda match: re.sub("[ \u00a0\u202f]", "", match[0]),
    )


def _typed_ordinals(locale: Romance) -> Iterator[Rule]:
    """Rules for ordinals without raised letters: 2do, 10ma, 1ra., 1o lugar, 3a parte."""
    endings = _TYPED[locale.language]
    nouns = any_of(locale.ranked)

    def verbalize(match: re.Match[str]) -> str | None:
        n, end = match["n"], match["end"]
        if endings and n[-1] not in endings[end]:
            return None
        mark = "er" if end in {"r", "er"} else "ª" if end.endswith("a") else "º"
        return f"{n}.º" if mark == "º" and locale.language == "es" else f"{n}{mark}"

    if endings:
        yield Rule(
            re.compile(rf"{START}(?P<n>[1-9][0-9]{{0,2}})(?P<end>{any_of(endings)})(?:\.(?= ?[a-zà-ÿ]))?(?!\w)"), verbalize
        )
    else:
        yield Rule(re.compile(rf"{START}(?P<n>[1-9][0-9]{{0,2}})(?P<end>[oa])\.?(?= (?i:{nouns})(?!\w))"), verbalize)


def _seconds(locale: Romance) -> Rule:
    """The rule for hours, minutes and seconds: 2:01:09."""

    def verbalize(match: re.Match[str]) -> str:
        said = [
            count(str(int(n)), locale.units[unit], locale.language)
            for unit, n in zip(("h", "min", "s"), match.groups(), strict=True)
        ]
        return f"{said[0]}, {said[1]} {locale.signs['&']} {said[2]}"

    return Rule(re.compile(r"(?<![\w:.,/-])([0-9]{1,2}):([0-5][0-9]):([0-5][0-9])(?![\w:]|[.,][0-9]| ?-->)"), verbalize)


def _by(words: Iberian) -> Iterator[Rule]:
    """Rules for the x in scores (venceu por 3x1), in sizes (30x40 cm) and in 4x4; in "10x de R$ 50" it is "vezes"."""
    scores = re.compile(f"(?i:{any_of(words.scores)})")

    def verbalize_score(match: re.Match[str]) -> str | None:
        around = _SENTENCE.split(match.string[max(0, match.start() - 60) : match.start()])[-1]
        around += _SENTENCE.split(match.string[match.end() : match.end() + 30])[0]
        is_between_teams = re.search(r"[A-ZÀ-Ý][^\W\d_]{1,20} \Z", match.string[max(0, match.start() - 24) : match.start()])
        is_followed = re.match(r" [A-ZÀ-Ý]", match.string[match.end() : match.end() + 2])
        return f"{match['one']} a {match['two']}" if (is_between_teams and is_followed) or scores.search(around) else None

    unit = r"(?: ?(?:cm|mm|m|km|px|pol|polegadas|metros|centímetros)(?!\w)| ?[x×] ?[0-9])"
    yield Rule(re.compile(rf"(?<=[0-9]) ?[x×] ?(?=[0-9]{{1,4}}(?:[.,][0-9]{{1,2}})?(?:{unit}|{_SIZE}))"), " por ")
    yield Rule(re.compile(r"(?<=[Ff]oto )3[xX]4|(?<=[Ff]otos )3[xX]4"), "3 por 4")
    yield Rule(re.compile(r"(?<![\w.,])(?P<one>[0-9]{1,2}) ?[x×] ?(?P<two>[0-9]{1,2})(?![\w%]|[.,][0-9]| ?=)"), verbalize_score)
    yield Rule(re.compile(r"(?<![\w.,=])([0-9])[xX]\1(?![\w%]|[.,][0-9]| ?=)"), lambda match: f"{match[1]} por {match[1]}")
    yield Rule(
        re.compile(r"(?<=[0-9])[xX](?= (?:de |sem |no |iguais |R\$|mais|menos|maior|menor|por |ao |à |na |em |a cada)|/)"),
        " vezes",
    )
