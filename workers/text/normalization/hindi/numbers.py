"""Rules for numbers in Hindi that are no plain quantities: ordinals, scores, seasons, telephone numbers, durations."""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Hindi
from workers.text.normalization import numerals, western
from workers.text.normalization.rules import Rule, any_of

LETTERS: Final = "\u0900-\u0963"
"""Letters and marks of Devanagari. Python's `\\w` does not know the marks."""
END: Final = rf"(?![\w{LETTERS}])"
_START: Final = r"(?<![\w.,:/-])"
_NO_LETTER: Final = r"(?![^\W\d])"
_DIGITS: Final = r"[0-9][0-9 -]{1,20}[0-9]"
_NO_DIGIT: Final = r"(?![.,/-]?[0-9]|\w)"
_MIN_PHONE_DIGITS: Final = 6
_MIN_CODE_DIGITS: Final = 3
_HUNDRED: Final = 100
_THOUSAND: Final = 1000
_A_THOUSAND: Final = "हज़ार"
_SURE_ENDINGS: Final = frozenset({"वीं", "वें", "वाँ", "वां", "रा", "री", "ठा", "ठी", "ठे"})
"""Endings that are no words."""
_MIN_RUNS: Final = 10
_MANY_RUNS: Final = 60
"""A greater number before a slash is no part of a fraction."""
_SCREENS: Final = frozenset({"2K", "4K", "8K"})


def codes(locale: Hindi) -> Iterator[Rule]:
    """The rules for numbers that are said digit by digit: telephones, PIN codes, cards, emergency numbers."""

    def named(match: re.Match[str]) -> str | None:
        n_digits = sum(map(str.isdigit, match["n"]))
        least = _MIN_CODE_DIGITS if match["code"] else _MIN_PHONE_DIGITS
        return match["word"] + _say_groups(match["n"]) if least <= n_digits <= numerals.MAX_DIGITS + 4 else None

    kinds = rf"(?:(?P<code>{any_of(locale.codes)})|{any_of(locale.phones)})"
    yield Rule(
        re.compile(
            rf"(?<![\w{LETTERS}])(?P<word>{kinds}{END}(?: {any_of(locale.code_links)}{END})?(?: ?[:-] ?| ))"
            rf"(?P<n>{_DIGITS}){_NO_DIGIT}"
        ),
        named,
    )
    # नई दिल्ली-110001, मुंबई 400 001
    yield Rule(
        re.compile(rf"(?<=[{LETTERS}])(?: - |-)[1-9][0-9]{{2}} ?[0-9]{{3}}{_NO_DIGIT}"),
        lambda match: " " + _say_groups(match[0]),
    )
    yield Rule(re.compile(rf"(?<=[{LETTERS}] )[1-9][0-9]{{2}} [0-9]{{3}}(?=[।,]|\Z)"), lambda match: _say_groups(match[0]))
    yield Rule(
        re.compile(rf"(?<![{LETTERS}])(?P<city>{any_of(locale.cities)}) ?[-–,]? ?(?P<n>[1-9][0-9]{{5}}){_NO_DIGIT}"),
        lambda match: f"{match['city']} {_say_groups(match['n'])}",
    )
    # 1800-123-456, 011-23456789, 4111 1111 1111 1111
    yield Rule(
        re.compile(
            rf"{_START}(?:1[89][06]0[ -][0-9]{{2,4}}[ -][0-9]{{3,4}}|0[0-9]{{2,4}}[ -][0-9]{{6,8}}"
            rf"|[0-9]{{4}}(?:[ -][0-9]{{4}}){{2,3}}){_NO_DIGIT}"
        ),
        lambda match: _say_groups(match[0]),
    )
    yield Rule(
        re.compile(
            rf"{_START}1[0-9]{{2,3}}(?= (?:नंबर )?पर (?:{any_of(locale.calls)}))"
            rf"|(?<=नंबर )1[0-9]{{2}}(?= (?:पर )?डायल)|(?<=डायल )1[0-9]{{2,3}}{_NO_DIGIT}"
        ),
        lambda match: numerals.part_digits(match[0]),
    )


def _say_groups(text: str) -> str:
    return ", ".join(map(numerals.part_digits, re.findall("[0-9]+", text)))


def ordinals(locale: Hindi) -> Rule:
    """The rule for ordinals: 4था, 21वीं, 5 वें."""
    endings = any_of(locale.ordinal_endings)
    noun = re.compile(rf" {any_of(locale.ranked)}{END}")

    def is_ranked(match: re.Match[str]) -> bool:
        return noun.match(match.string, match.end()) is not None

    def verbalize(match: re.Match[str]) -> str | None:
        n, ending = int(match["n"]), locale.ordinal_endings[match["ending"]]
        if match["space"] == " " and match["ending"] not in _SURE_ENDINGS and not is_ranked(match):
            return None
        if match["n"] in locale.ordinals:
            return locale.ordinals[match["n"]] + ending[-1]
        thousands, n = divmod(n, _THOUSAND)
        hundreds, rest = divmod(n, _HUNDRED)
        if not (n or thousands) or not ending.startswith("व"):
            return None
        head = [] if not thousands else [_A_THOUSAND] if thousands == 1 and not n else [locale.numerals[thousands], _A_THOUSAND]
        words = [*head, *([locale.numerals[hundreds], locale.hundred] if hundreds else [])]
        if n == _HUNDRED and not thousands:
            words = [locale.hundred]
        return " ".join([*words, locale.numerals[rest]] if rest else words) + ending

    return Rule(re.compile(rf"{_START}(?P<n>[0-9]{{1,4}})(?P<space>[ -]?)(?P<ending>{endings}){END}"), verbalize)


def scores(locale: Hindi) -> Iterator[Rule]:
    """The rules for scores, and for seasons and pairs whose second number is said without a word between: 2023-24, 50/50."""
    pair = "[0-9]{1,3}[-–][0-9]{1,3}"
    pairs = rf"{_START}{pair}(?:,? {pair}){{0,4}}(?![0-9/.-])"
    result = any_of(locale.results)
    after_noun = "|".join(f"(?<={word} )" for word in locale.score_nouns)
    yield Rule(
        re.compile(rf"{pairs}(?= (?:से|की|के|पर) (?:[^\s।]{{1,20}} ){{0,3}}{result})|(?:{after_noun}){pairs}"),
        lambda match: re.sub("[-–]", " ", match[0]),
    )
    yield Rule(re.compile(rf"{_START}{any_of(locale.pairs)}{_NO_DIGIT}"), lambda match: match[0].replace("/", " "))

    # 245/6 बनाए
    yield Rule(
        re.compile(rf"{_START}([1-9][0-9]{{1,2}})/([0-9]|10)(?:(?=(?P<after> ?{any_of(locale.cricket)}))|(?=[।,;]|\Z))(?! में)"),
        lambda match: f"{match[1]} पर {match[2]}" if int(match[1]) > (_MIN_RUNS if match["after"] else _MANY_RUNS) else None,
    )
    # 3/5 लोग, रेटिंग 4/5
    yield Rule(
        re.compile(
            rf"{_START}([1-9][0-9]?)/([1-9][0-9]{{0,2}})(?= {any_of(locale.out_of)}{END})"
            rf"|(?:(?<=रेटिंग )|(?<=रेटिंग: )|(?<=अंक )|(?<=अंक: ))([1-9][0-9]?)/([1-9][0-9]{{0,2}}){_NO_DIGIT}"
        ),
        lambda match: f"{match[2] or match[4]} में से {match[1] or match[3]}",
    )
    # बोइंग 737-800
    yield Rule(re.compile(r"(?:(?<=बोइंग )|(?<=एयरबस ))(A?[0-9]{3})-(?=[0-9]{1,3}(?!\w))"), lambda match: match[1] + " ")
    # 3/7 को, 21/22 मार्च
    yield Rule(
        re.compile(rf"{_START}([12]?[0-9]|3[01])/(1[0-2]|0?[1-9])(?= (?:को|तक){END})"),
        lambda match: f"{int(match[1])} {locale.months[int(match[2]) - 1]}",
    )
    yield Rule(
        re.compile(rf"{_START}([12]?[0-9]|3[01])/([12]?[0-9]|3[01])(?= {any_of(locale.months)})"),
        lambda match: f"{match[1]} {match[2]}",
    )

    def season(match: re.Match[str]) -> str | None:
        first, second = match[1], match[2]
        return f"{western.hundreds(first, locale)} {second}" if (int(first) + 1) % 100 == int(second) else None

    yield Rule(re.compile(rf"{_START}((?:1[89]|20)[0-9]{{2}})[-–/]([0-9]{{2}}){_NO_DIGIT}"), season)


def durations(locale: Hindi) -> Iterator[Rule]:
    """The rules for 2 घं. 14 मि. and 2h 14m, and for numbers with a scale: 10M, 3k."""
    hours, minutes, seconds = (any_of(short) for short in (locale.hour_forms, locale.minute_forms, locale.second_forms))
    h, m, s = (locale.units[unit] for unit in ("h", "min", "s"))

    def verbalize(match: re.Match[str]) -> str:
        said = [(match["h"], h), (match["m"], m), (match["s"], s)]
        return " ".join(f"{n} {name.one if n == '1' else name.many}" for n, name in said if n)

    second = rf"(?:,? ?(?P<s>[0-9]{{1,2}}) ?{seconds}\.?{END})"
    minute = rf"(?P<m>[0-9]{{1,2}}) ?{minutes}\.?{_NO_LETTER}"
    hour = rf"(?P<h>[0-9]{{1,3}}) ?{hours}\.?{_NO_LETTER},? ?"
    yield Rule(re.compile(rf"{_START}{hour}{minute}{second}?+{END}"), verbalize)
    yield Rule(re.compile(rf"{_START}(?P<h>)?{minute}{second}"), verbalize)
    yield Rule(
        re.compile(rf"(?<![\w.,:/$€£₹-])(?P<n>[0-9]{{1,4}}(?:\.[0-9]{{1,2}})?)m(?= {any_of(locale.counted)}{END})"),
        lambda match: f"{match['n']} {locale.scales['M']}",
    )
    # 1m85
    yield Rule(
        re.compile(rf"{_START}([1-9])m([0-9]{{2}})(?![\w.,])"),
        lambda match: f"{match[1]} {locale.units['m'].many} {int(match[2])}",
    )
    scales = {sign: word for sign, word in locale.scales.items() if sign.isascii() and sign != "L"}

    def scaled(match: re.Match[str]) -> str | None:
        return None if match[0] in _SCREENS else f"{match['n']} {scales[match['sign']]}"

    yield Rule(re.compile(rf"(?<![\w.,:/$€£₹-])(?P<n>[0-9]{{1,4}}(?:\.[0-9]{{1,2}})?)(?P<sign>{any_of(scales)}){END}"), scaled)


def slashes(locale: Hindi) -> Iterator[Rule]:
    """The rules for a slash between words: रुपये/किलो, और/या."""
    yield Rule(re.compile(rf"(?<=[0-9{LETTERS}A-Za-z.])/(?={any_of(locale.per)}{END})"), " प्रति ", needs_digit=False)
    yield Rule(re.compile(rf"(?<=और)/(?=या{END})"), " ", needs_digit=False)
    yield Rule(re.compile(rf"(?<=[{LETTERS}])/(?=[{LETTERS}])"), f" {locale.either} ", needs_digit=False)


def comparisons(locale: Hindi) -> Rule:
    """The rule for <, >, ≤ and ≥ before a number. Their words follow the number and its unit: <5 साल."""
    units = any_of({name.many for name in locale.units.values()} | {locale.percent, *locale.compared})
    return Rule(
        re.compile(rf"(?P<space>(?<=\w) ?)?(?P<sign>[<>≤≥]) ?(?P<n>[0-9]++(?:\.[0-9]++)?+(?: {units}{END})?)"),
        lambda match: f"{'' if match['space'] is None else ' '}{match['n']} {locale.signs[match['sign']]}",
    )


def compared_letters(locale: Hindi) -> Iterator[Rule]:
    """The rules for signs next to a letter, which are said in the order of the formula: 3 < x < 7."""
    words = locale.math.symbols
    sign = re.compile(" ?([<>≤≥]) ?")
    number = r"[0-9]++(?:\.[0-9]++)?+"
    yield Rule(
        re.compile(rf"(?<![\w.]){number} ?[<>≤≥] ?[a-zA-Z](?: ?[<>≤≥] ?{number})?(?![\w.])"),
        lambda match: sign.sub(lambda one: f" {words[one[1]]} ", match[0]),
    )
