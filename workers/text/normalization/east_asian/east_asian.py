r"""Normalization of Mandarin and Japanese: rules for what cn2an and pyopenjtalk skip or misread. Cardinals stay numerals.

Why the patterns name ASCII letters instead of `\w`: it also matches Han characters, and there are no spaces between words.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import EastAsian
from workers.text.normalization.east_asian import codes, japanese, mandarin, numbers, romans, ruby, verses
from workers.text.normalization.east_asian.codes import END
from workers.text.normalization.east_asian.numbers import DASH
from workers.text.normalization.numerals import FRACTION_SIGNS
from workers.text.normalization.rules import Rule, any_of

_N: Final = r"(?<![0-9.,A-Za-z])(?<![A-Za-z]-)(?P<n>[0-9]++(?:\.[0-9]++)?+)"
_SPEED_WORD_BEFORE: Final = re.compile("(?:时速|每小时|每秒|秒速|時速|毎時|毎秒|風速)(?:[为是约約は]|达到)? ?\\Z")
_DATE: Final = "{}年{}月{}日"
_COUNTERS: Final = frozenset("歳岁人名個个円元年月日分秒時度回次件本枚万千億亿倍台") | {"時間", "小时", "分钟", "公里"}
_SCALES: Final = "万|萬|亿|億|百万|千万|兆"
_URL: Final = re.compile(r"(?<![A-Za-z0-9])(?:https?://|www\.)[!#-;=?-~]{1,2000}+")
_LONG_DIGITS: Final = re.compile("[0-9]{3,2000}+")
_EMAIL: Final = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}+@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}")


def rules(language: str) -> Iterator[Rule]:
    """All rules of `zh` or `ja`, in order."""
    locale = loader.east_asian(language)
    yield from _addresses(locale)
    if language == "ja":
        yield from ruby.rules()
        yield from japanese.rules(locale)
    else:
        yield from romans.rules(locale)
        yield from verses.rules(locale)
        yield from mandarin.rules(locale)
    yield from codes.rules(locale)
    yield from _dates_and_times(locale)
    # In Mandarin, a wide comma is a pause even between digits.
    comma = "," if language == "zh" else "[,，]"
    yield Rule(
        re.compile(rf"(?<![0-9.,])[1-9][0-9]{{0,2}}(?:{comma}[0-9]{{3}}){{1,8}}+(?![0-9]|{comma}[0-9])"),
        lambda match: match[0].replace(",", "").replace("，", ""),
    )
    yield from numbers.scales(locale)
    yield from _money(locale)
    yield from numbers.slashes(locale)
    yield from _measures(locale)
    yield from numbers.rates(locale)
    yield from _numbers(locale)
    if language == "ja":
        yield Rule(re.compile(r"(?<=率)(?:は|が|、)?0?\.([0-9])([0-9])([0-9])(?![0-9])"), _say_batting)
    yield from _comparisons(locale)
    yield from _signs(locale)


def _addresses(locale: EastAsian) -> Iterator[Rule]:
    words = locale.address

    def verbalize(match: re.Match[str]) -> str:
        text = match[0].rstrip(".,;:!?)'*_]}")
        body = text.partition("://")[2] or text
        by_digit = _LONG_DIGITS.sub(lambda digits: codes.spell_plainly(digits[0], locale), body.rstrip("/"))
        spoken = "".join(f" {words[sign]} " if sign in words else sign for sign in by_digit)
        return spoken.strip() + match[0][len(text) :] if body.strip("/") else match[0]

    yield Rule(_URL, verbalize, needs_digit=False)
    yield Rule(_EMAIL, verbalize, needs_digit=False)


def _dates_and_times(locale: EastAsian) -> Iterator[Rule]:
    def verbalize_date(match: re.Match[str]) -> str | None:
        year, month, day = match[1], int(match[3]), int(match[4])
        return _DATE.format(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None

    def verbalize_time(match: re.Match[str]) -> str:
        hour, minute, second = int(match[1]), int(match[2]), match[3]
        minutes = f"{locale.zero_minutes * (0 < minute < 10)}{minute}分" if minute or second else ""
        return f"{hour}{locale.hour}{minutes}" + (f"{int(second)}{locale.second}" if second else "")

    yield Rule(re.compile(r"(?<![A-Za-z0-9./-])([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![A-Za-z0-9/-])"), verbalize_date)
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9:.])([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?:[:：]([0-5][0-9]))?(?![A-Za-z0-9:：])"),
        verbalize_time,
    )
    # 03月05日, 150円09銭
    yield Rule(
        re.compile("(?<![0-9.,:年])0(?=[1-9][月日号號时時点點分秒銭])|(?<=[年月円日])0(?=[1-9][月日号號时時分秒銭])"), ""
    )
    if locale.zero_hours:
        yield Rule(re.compile("(?<![0-9.,:第])0時(?!間)"), locale.zero_hours)
    # 10:00-12:00, 3:2
    yield Rule(re.compile(rf"(?<=[0-9][点時分秒]) ?{DASH} ?(?=[0-9])"), locale.to)
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9:.])([0-9]{1,3}(?:\.[0-9]{1,3})?)[:：](?=[0-9]{1,9}(?:\.[0-9]{1,3})?(?![A-Za-z0-9:：]))"),
        lambda match: match[1] + locale.against,
    )
    yield Rule(re.compile(r"(?<![A-Za-z0-9./])24/7(?![A-Za-z0-9/])"), "24 7")


def _money(locale: EastAsian) -> Iterator[Rule]:
    table = locale.money
    scale = rf"(?P<scale>{_SCALES})?"

    def verbalize(match: re.Match[str]) -> str:
        whole, _, rest = match["n"].partition(".")
        rest = rest.rstrip("0")
        return f"{whole}{'.' + rest if rest else ''}{match['scale'] or ''}{table[match['sign']]}"

    yield Rule(re.compile(rf"(?<![A-Za-z$])(?P<sign>{any_of(table)}) ?(?P<n>[0-9]++(?:\.[0-9]++)?+){scale}"), verbalize)
    yield Rule(re.compile(rf"{_N}{scale} ?(?P<sign>{any_of(table)}){END}"), verbalize)
    if locale.language == "ja":
        # 1ドル=150円
        yield Rule(re.compile("(?:(?<=[0-9]ドル)|(?<=[0-9]ポンド)|(?<=[0-9]ユーロ)|(?<=[0-9][元円])) ?[=＝] ?(?=[0-9])"), "")


def _speeds(locale: EastAsian) -> Rule:
    """The rule for speeds: 5 km/h, 10-20km/h. The words before the number are not added if the text has them already."""
    words = locale.speeds

    def verbalize(match: re.Match[str]) -> str:
        before, after = words[match["unit"]]
        has_speed_word = _SPEED_WORD_BEFORE.search(match.string[max(0, match.start() - 8) : match.start()]) is not None
        first = f"{match['first']}{locale.to}" if match["first"] else ""
        return f"{'' if has_speed_word else before}{first}{match['n']}{after}"

    n = r"[0-9]++(?:\.[0-9]++)?+"
    return Rule(
        re.compile(rf"(?<![0-9.,A-Za-z])(?:(?P<first>{n}) ?{DASH} ?)?(?P<n>{n}) ?(?P<unit>{any_of(words)})(?![A-Za-z0-9/²³])"),
        verbalize,
    )


def _measures(locale: EastAsian) -> Iterator[Rule]:
    units = locale.units
    yield _speeds(locale)
    yield Rule(
        re.compile(
            rf"{_N}(?P<scale>{_SCALES})? ?(?P<unit>{any_of(units)})(?![A-Za-z0-9/²³])(?!(?<=A)[级級景坦型股区座栋班游大])"
        ),
        lambda match: None if _is_seat(match) else match["n"] + (match["scale"] or "") + units[match["unit"]],
    )
    signs = "".join(FRACTION_SIGNS)
    yield Rule(
        re.compile(rf"(?<![0-9.,])(?P<whole>[0-9]{{1,9}})?(?P<sign>[{signs}])"),
        lambda match: (
            (match["whole"] + locale.and_fraction if match["whole"] else "")
            + _verbalize_fraction(FRACTION_SIGNS[match["sign"]], locale)
        ),
    )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9./])[0-9]{1,4}[/／][0-9]{1,4}(?![A-Za-z0-9/／])"),
        lambda match: _verbalize_fraction(match[0].replace("／", "/"), locale),
    )


def _is_seat(match: re.Match[str]) -> bool:
    """Whether a letter after a number belongs to a seat, a gate or a room: 座位31A."""
    before = match.string[max(0, match.start() - 3) : match.start()].rstrip(" ：:")
    return (
        len(match["unit"]) == 1
        and match["unit"].isupper()
        and before.endswith(("座", "座位", "排", "车", "席", "座號", "座号"))
    )


def _verbalize_fraction(text: str, locale: EastAsian) -> str:
    over, _, under = text.partition("/")
    return f"{under}{locale.fraction}{over}"


def _numbers(locale: EastAsian) -> Iterator[Rule]:
    before, after = locale.numero
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9])(?:N[Oo]\.? ?|№ ?|#)(?P<n>[0-9]++)(?![A-Za-z0-9.])"),
        lambda match: before + match["n"] + after,
    )
    yield from numbers.hyphens(locale)
    if locale.counted:
        measures = any_of({*locale.counted, *locale.measured})
        yield Rule(re.compile(rf"(?<![0-9.,第点月年负])2(?!分之|年[级級])(?=(?:{locale.to}[0-9]{{1,2}})?{measures})"), "两")


_BATTING: Final = ("ゼロ", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュー")


def _say_batting(match: re.Match[str]) -> str:
    """Returns a batting average as Japanese commentators say it: .310 is 3割1分."""
    tenths, hundredths, thousandths = match.groups()
    said = f"{tenths}割" + (f"{_BATTING[int(hundredths)]}ブ" if hundredths != "0" else "")
    return match[0].partition(".")[0].rstrip("0") + said + (f"{_BATTING[int(thousandths)]}リン" if thousandths != "0" else "")


def _signs(locale: EastAsian) -> Iterator[Rule]:
    words = locale.signs
    loose = "".join(sign for sign in words if sign not in "+")
    yield Rule(re.compile(rf" ?[{loose}] ?"), lambda match: words[match[0].strip()], needs_digit=False)
    yield Rule(re.compile(r"(?<!\+)\+{1,3}(?!\+)"), lambda match: words["+"] * len(match[0]), needs_digit=False)


def _comparisons(locale: EastAsian) -> Iterator[Rule]:
    """Rules for < and > before a number (<5岁) and between two terms (a < b)."""
    units = any_of({*locale.units.values(), *(after for _, after in locale.speeds.values()), *_COUNTERS, "%"})
    prefixed = {"<": locale.less_than, ">": locale.more_than, "≤": locale.at_most, "≥": locale.at_least}
    yield Rule(
        re.compile(
            rf"(?<![A-Za-z0-9)<>=-])(?<![A-Za-z0-9)] )(?P<sign>[<>≤≥]) ?(?P<n>[0-9]++(?:\.[0-9]++)?+(?:{units})?+)(?![>])"
        ),
        lambda match: prefixed[match["sign"]].format(n=match["n"]),
    )
    infix = locale.math.symbols
    yield Rule(
        re.compile(r"(?<=[A-Za-z0-9)%\u3040-\u9fff]) ?[<>≤≥] ?(?=[-−A-Za-z0-9(])(?![A-Za-z]{1,20}[ />])"),
        lambda match: infix[match[0].strip()],
        needs_digit=False,
    )
    yield Rule(re.compile(" ?≠ ?"), infix["≠"], needs_digit=False)
