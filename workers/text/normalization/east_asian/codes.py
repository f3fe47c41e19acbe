"""Numbers of Mandarin and Japanese that are said digit by digit: telephone numbers, postal codes, rooms, flights, cards.

Why words around a number decide: 119 is a call to the fire brigade after 拨打, and a quantity elsewhere.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from workers.text.locales.structs import EastAsian
from workers.text.normalization.rules import Rule, any_of

END: Final = "(?![A-Za-z0-9])"
_LINK: Final = "(?:号码|號碼|番号|コード)?(?:[:：是为為はがの（(「 ]|です){0,3}"
"""What may stand between the name of a code and the code."""
_GROUPED: Final = r"[0-9]++(?:[ -][0-9]{1,8}){0,6}"
_LETTERS_BEFORE: Final = re.compile(r"[A-Za-z]{1,6}\Z")
_AIRLINER: Final = "ボーイング..."
_MODEL: Final = re.compile(r"[0-9]++")


def rules(locale: EastAsian) -> Iterator[Rule]:
    """Rules for all numbers that are said digit by digit."""
    # A card: 4111 1111 1111 1111.
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9.,-])[0-9]{{4}}(?:[ -][0-9]{{4}}){{3}}{END}(?!-)"),
        lambda match: spell_digits(_MODEL.findall(match[0]), locale),
    )
    yield from _phones(locale)
    yield from _named(locale)
    # 波音737-800, ボーイング737-800
    yield Rule(
        re.compile(
            rf"(?<![A-Za-z0-9])(?P<n>7[0-9]7)(?:(?P<dash>-)(?=[0-9]{{1,3}}{END})|(?=(?:客机|飞机|型|MAX|系列|機))|(?<={_AIRLINER})(?![0-9.,]))"
        ),
        lambda match: spell_plainly(match["n"], locale) + locale.address_number * bool(match["dash"]),
    )
    if locale.digits:
        yield from _transport(locale)
        yield from _models(locale)


def spell_digits(groups: Sequence[str], locale: EastAsian) -> str:
    """Returns the digits of a telephone number, with the text of the locale between its groups."""
    spelled = (locale.between_digits.join(locale.phone_digits[int(digit)] for digit in group) for group in groups)
    return locale.between_groups.join(spelled)


def spell_plainly(digits: str, locale: EastAsian) -> str:
    """Returns the digits as those of a year or of a model, which have no other words on the telephone."""
    return "".join((locale.digits or locale.phone_digits)[int(digit)] for digit in digits)


def _named(locale: EastAsian) -> Iterator[Rule]:
    """Rules for a code that a word before or after it names: 邮编100871, 拨打119, 1203室."""
    codes = locale.codes

    def verbalize(match: re.Match[str]) -> str:
        return match["name"] + match["letters"] + spell_digits(_MODEL.findall(match["n"]), locale)

    def verbalize_short(match: re.Match[str]) -> str:
        return match["name"] + spell_digits([match["n"]], locale)

    if codes.before:
        yield Rule(
            re.compile(
                rf"(?P<name>{any_of(codes.before)}{_LINK})(?P<letters>[A-Z]{{0,3}}+)"
                rf"(?P<n>(?=[0-9 -]{{3}}){_GROUPED}){END}(?!\.[0-9])"
            ),
            verbalize,
        )
    if codes.short:
        short = rf"(?:{any_of(codes.short)}|12[0-9]{{3}}|9[56][0-9]{{3}})"
        yield Rule(
            re.compile(rf"(?P<name>{any_of(codes.calls)}{_LINK})(?P<n>{short})(?![0-9.年分元个人米次])"), verbalize_short
        )
        yield Rule(
            re.compile(rf"(?<![A-Za-z0-9.,-])(?P<name>)(?P<n>{short})(?= ?{any_of(codes.after_short)})"),
            verbalize_short,
        )
    if codes.with_hash:
        yield Rule(
            re.compile(rf"[#＃](?P<n>{any_of(codes.with_hash)})(?![0-9])"),
            lambda match: locale.address["#"] + spell_digits([match["n"]], locale),
        )
    if codes.after:
        yield Rule(
            re.compile(
                rf"(?<![A-Za-z0-9.,-])(?P<n>[0-9]{{1,3}}-)?(?P<code>[0-9]{{3,8}})(?={any_of(codes.after)}(?![源产贷子价型屋]))"
            ),
            lambda match: _floor(match["n"], locale) + spell_digits([match["code"]], locale),
        )


def _floor(before: str | None, locale: EastAsian) -> str:
    return before.replace("-", locale.address["-"]) if before else ""


def _phones(locale: EastAsian) -> Iterator[Rule]:
    """Rules for telephone numbers and postal codes: +86 138-1234-5678, 03-1234-5678, 400-123-4567, 13812345678."""

    def verbalize(match: re.Match[str]) -> str | None:
        text = match[0].rstrip(" -(")
        groups = _MODEL.findall(text)
        if not 7 <= sum(map(len, groups)) <= 15:
            return None
        plus = locale.plus if text[0] == "+" else ""
        return plus + spell_digits(groups, locale) + match[0][len(text) :]

    yield Rule(re.compile(r"(?<![A-Za-z0-9+])\+[0-9][0-9 ()-]{5,22}"), verbalize)
    yield Rule(re.compile(rf"(?<![A-Za-z0-9-])\(0[0-9]{{1,4}}\) ?[0-9]{{1,8}}(?:-[0-9]{{3,4}})?{END}(?!-)"), verbalize)
    yield Rule(re.compile(rf"(?<![A-Za-z0-9-])0[0-9]{{1,4}}\([0-9]{{1,4}}\)[0-9]{{3,4}}{END}(?!-)"), verbalize)
    yield Rule(re.compile(rf"(?<![A-Za-z0-9.-])0[0-9]{{1,4}}-[0-9]{{1,8}}(?:-[0-9]{{3,4}})?{END}(?!-)"), verbalize)
    yield Rule(re.compile(rf"(?<![A-Za-z0-9.,:-])0[0-9]{{1,3}} [0-9]{{1,4}} [0-9]{{3,4}}{END}(?!-)"), verbalize)
    if locale.postal_code:
        yield Rule(
            re.compile(rf"〒 ?([0-9]{{3}})-?([0-9]{{4}}){END}"),
            lambda match: locale.postal_code + spell_digits(match.groups(), locale),
        )
    if locale.language == "zh":
        yield Rule(re.compile(rf"(?<![A-Za-z0-9.])1[3-9][0-9](?:[- ]?[0-9]{{4}}){{2}}{END}(?!-)"), verbalize)
        yield Rule(
            re.compile(rf"(?<![A-Za-z0-9.-])[48]00(?:[- ][0-9]{{3}}[- ]?[0-9]{{4}}|[- ][0-9]{{4}}[- ][0-9]{{3}}){END}"),
            verbalize,
        )
        yield Rule(re.compile(rf"(?<![A-Za-z0-9.-])[48]00[0-9]{{7}}{END}"), verbalize)


def _transport(locale: EastAsian) -> Iterator[Rule]:
    """Rules for flights and trains: CA1234, G101次."""
    codes = locale.codes
    if not codes.airlines:
        return

    def verbalize(match: re.Match[str]) -> str:
        return match["name"] + match["letters"] + spell_digits([match["n"]], locale)

    number = "(?P<n>[0-9]{1,4})"
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9])(?P<name>)(?P<letters>{any_of(codes.airlines)}) ?(?P<n>[0-9]{{3,4}}){END}"),
        verbalize,
    )
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9])(?P<name>)(?P<letters>[GDCZTKYSL]){number}(?=次|列车|号列车|号次|高铁|动车)"),
        verbalize,
    )
    yield Rule(
        re.compile(rf"(?P<name>{any_of(codes.trains)}{_LINK})(?P<letters>[GDCZTKYSL]){number}{END}"),
        verbalize,
    )


def _models(locale: EastAsian) -> Iterator[Rule]:
    """Rules for the numbers of models and types: RTX4090, ISO9001, 波音737-800. Round numbers stay quantities: H100."""

    def verbalize(match: re.Match[str]) -> str | None:
        digits = match["n"]
        name = _LETTERS_BEFORE.search(match.string[max(0, match.start() - 6) : match.start()])
        if digits.endswith("00") or (name is not None and name[0] in (*locale.money, "No", "NO", "no")):
            return None
        return spell_plainly(digits, locale)

    yield Rule(
        re.compile(rf"(?P<name>{any_of(locale.models.by_digit)})-?(?P<n>[0-9]{{2,4}})(?![0-9.年月日岁])"),
        lambda match: match["name"] + (spell_plainly(match["n"], locale) if int(match["n"]) >= 20 else match["n"]),
    )
    yield Rule(re.compile(r"(?<=[A-Za-z])(?P<n>[0-9]{3,5})(?![0-9.,])"), verbalize)
    # 95后
    yield Rule(
        re.compile("(?<![A-Za-z0-9.,第])(?P<n>[5-9][05]|[01][05])(?=后(?![0-9天年]))"),
        lambda match: spell_plainly(match["n"], locale),
    )
    # 哈哈哈233
    yield Rule(
        re.compile("(?<=[哈死嘿呵])(?P<n>23{2,9}|6{3,9}|520|1314|5201314)(?![A-Za-z0-9.%\u3400-\u9fff])"),
        lambda match: spell_plainly(match["n"], locale),
    )
    # 007
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.,:：/／-])(?P<n>0[0-9]{1,7})(?![0-9.,:：年月日点时分秒%-])"),
        lambda m: spell_plainly(m["n"], locale),
    )
