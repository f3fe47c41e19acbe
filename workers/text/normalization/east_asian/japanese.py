"""Short forms of Japanese: R6.4.1, 月〜金, Nov 28, p.45, 5F, ㈱, 10㌔, 52°11′28″N.

Why their own rules: pyopenjtalk spells them, or takes 月 and 土 for the moon and the earth.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from workers.text.locales.east_asian_groups import JapaneseForms
from workers.text.locales.structs import EastAsian
from workers.text.normalization.east_asian import japanese_romans, japanese_verses
from workers.text.normalization.east_asian.numbers import DASH
from workers.text.normalization.rules import Rule, any_of

_HAN_AND_KANA: Final = "\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u9fff"
_FREE: Final = "(?<![A-Za-z0-9._-])"
_END: Final = "(?![A-Za-z0-9])"
_NO_LATIN_AFTER: Final = "(?! ?[A-Za-z])"
_PARTICLE: Final = "(?=[にはのかまへも、。（()）」・\\s]|より|以降|から|\\Z)"
_DAYS: Final = "月火水木金土日"
_DAY: Final = f"[{_DAYS}祝]"
_ELEMENTS: Final = frozenset({"木火土金水", "木火土金", "火水", "日月"})
_MAX_FEET: Final = 7
_INCHES: Final = range(12)
_SHORT_MONTH: Final = re.compile("[A-Za-z]{3}")


def rules(locale: EastAsian) -> Iterator[Rule]:
    """Rules for short forms, for before the rules of numbers; none for Mandarin."""
    forms = locale.japanese
    if forms is None:
        return
    # ㌔, ㍻
    yield Rule(
        re.compile("[\u3300-\u3357\u337b-\u337f]"), lambda match: unicodedata.normalize("NFKC", match[0]), needs_digit=False
    )
    # 増加した※1。
    yield Rule(re.compile(rf"(?<=[{_HAN_AND_KANA}）)」])※[0-9]{{1,2}}(?=[。、，）)」はがをのにもと\s]|\Z)"), "")
    yield Rule(re.compile("※([0-9]{1,2})[:：.、 ]?(?![0-9])"), lambda match: f"注{match[1]}、")
    yield Rule(re.compile(any_of(forms.signs)), lambda match: forms.signs[match[0]], needs_digit=False)
    yield Rule(
        re.compile(rf"(?<![A-Za-z.]){any_of(forms.latin)}(?![A-Za-z.])"), lambda match: forms.latin[match[0]], needs_digit=False
    )
    yield Rule(re.compile("(?<=[0-9])[―─－](?=[0-9])"), "-")
    # （0120）333-906
    yield Rule(
        re.compile(rf"[（(](0[0-9]{{1,4}})[)）] ?([0-9]{{1,4}}-[0-9]{{3,4}}){_END}"), lambda match: f"{match[1]}-{match[2]}"
    )
    yield Rule(re.compile("([0-9]{1,3}号)[/／](?=[0-9]{1,3}号)"), lambda match: match[1] + "、")
    yield from _halves_of_day()
    yield from _eras(forms)
    yield from _months(forms)
    yield from _weekdays(locale, forms)
    yield from _pages_and_floors(locale)
    yield from _angles(forms)
    yield from _mixed(locale)
    # 午前9時〜午後5時
    eras = any_of({"午前", "午後", "翌", *forms.eras.values()})
    yield Rule(re.compile(rf"(?<=[0-9時分日年月]) ?[~～〜] ?(?={eras})"), locale.to)
    yield from japanese_verses.rules(forms.verses, locale.to)
    yield from japanese_romans.rules(forms.romans)


def _halves_of_day() -> Iterator[Rule]:
    """The rules for AM9:30, 9:30 AM and 3 p.m."""
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.])(?P<half>[AaPp])[Mm] ?(?=(?:1[0-2]|0?[0-9])[:：][0-5][0-9](?![0-9:]))"),
        lambda match: "午後" if match["half"] in "pP" else "午前",
    )

    def verbalize(match: re.Match[str]) -> str:
        half = "午後" if match["half"] in "pP" else "午前"
        hour = int(match["hour"]) % 12 if match["hour"] == "12" else int(match["hour"])
        return half + (f"{hour}:{match['minute']}" if match["minute"] else f"{hour}時")

    yield Rule(
        re.compile(
            r"(?<![A-Za-z0-9.:])(?P<hour>1[0-2]|0?[1-9])(?:[:：](?P<minute>[0-5][0-9]))? ?"
            r"(?P<half>[AaPp])(?:[Mm]|\.[Mm]\.)(?![A-Za-z0-9])"
        ),
        verbalize,
    )


def _eras(forms: JapaneseForms) -> Iterator[Rule]:
    """Rules for years of an era: R6.4.1, S63/12/1, R5年度."""
    letters = "".join(era for era in forms.eras if era.isascii())
    others = any_of(era for era in forms.eras if not era.isascii())
    start = rf"(?:{_FREE}(?=[{letters}])|(?<![{_HAN_AND_KANA}])(?={others}))"
    era = rf"{start}(?P<era>{any_of(forms.eras)})\.? ?(?P<year>[0-9]{{1,2}})"

    def year(match: re.Match[str]) -> str:
        return f"{forms.eras[match['era']]}{'元' if match['year'] in {'1', '01'} else int(match['year'])}年"

    def date(match: re.Match[str]) -> str | None:
        month, day = int(match["month"]), int(match["day"])
        return f"{year(match)}{month}月{day}日{'生まれ' * bool(match['born'])}" if 1 <= month <= 12 and 1 <= day <= 31 else None

    yield Rule(
        re.compile(
            rf"{era}(?P<sign>[./-])(?P<month>[0-9]{{1,2}})(?P=sign)(?P<day>[0-9]{{1,2}})(?![A-Za-z0-9./-])(?P<born>生(?=[、。）)\s]|\Z))?"
        ),
        date,
    )
    yield Rule(re.compile(rf"{era}年"), year)


def _months(forms: JapaneseForms) -> Iterator[Rule]:
    """Rules for dates with an English month, and for months after a year: Nov 28, 5 Mar 2024, 2020-12."""
    # Sun, 10 Mar
    names = {day[:3]: f"{name}曜日" for day, name in zip(forms.days, _DAYS, strict=True)}
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9.]){any_of(names)}(?:\.,?|,) ?(?=[^A-Za-z ]|\Z)"),
        lambda match: names[match[0][:3]],
        needs_digit=False,
    )
    number = {name: i + 1 for i, name in enumerate(forms.months)} | {name[:3]: i + 1 for i, name in enumerate(forms.months)}
    month = rf"(?P<month>{any_of([*number, 'Sept'])})\.?"

    def verbalize(match: re.Match[str]) -> str | None:
        day = int(match["day"])
        year = f"{match['year']}年" if match["year"] else ""
        return f"{year}{number[match['month'][:3]]}月{day}日" if 1 <= day <= 31 else None

    start, day, year = (
        r"(?<![A-Za-z0-9.,])(?<![A-Za-z] )(?<![A-Za-z], )",
        "(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?",
        "(?P<year>[0-9]{4})",
    )
    yield Rule(re.compile(rf"{start}{month} {day}(?:,? {year})?{_END}{_NO_LATIN_AFTER}"), verbalize)
    yield Rule(re.compile(rf"{start}{day}[ -]{month}(?:[ -]{year})?{_END}{_NO_LATIN_AFTER}"), verbalize)
    yield Rule(
        re.compile(rf"{start}{month} {year}{_END}{_NO_LATIN_AFTER}"),
        lambda match: f"{match['year']}年{number[match['month'][:3]]}月",
    )
    # 2020-12
    yield Rule(re.compile(rf"{_FREE}((?:19|20)[0-9]{{2}})-(0[1-9]|1[0-2])(?![0-9-]){_PARTICLE}"), _say_month)


def _say_month(match: re.Match[str]) -> str | None:
    """Returns year and month; None for two years in a row: 2011-12."""
    is_span = (int(match[1]) + 1) % 100 == int(match[2])
    return None if is_span else f"{match[1]}年{int(match[2])}月"


def _weekdays(locale: EastAsian, forms: JapaneseForms) -> Iterator[Rule]:
    """Rules for weekdays without 曜: 月〜金, 土・日・祝, Mon."""
    start, end = f"(?<![{_HAN_AND_KANA}A-Za-z0-9])", "(?=[はのにをがも、。）)」\\s]|曜|休|定休|営業|祝|\\Z)"

    def listed(match: re.Match[str]) -> str | None:
        days = re.findall(_DAY, match[0])
        return None if "".join(days) in _ELEMENTS else "、".join(forms.weekdays[day] for day in days)

    yield Rule(
        re.compile(f"{start}([{_DAYS}]) ?{DASH} ?([{_DAYS}])(?:曜日?)?{end}"),
        lambda match: f"{match[1]}曜{locale.to}{match[2]}曜",
        needs_digit=False,
    )
    yield Rule(re.compile(f"{start}{_DAY}(?:[・/／]{_DAY}){{1,7}}{end}"), listed, needs_digit=False)


def _pages_and_floors(locale: EastAsian) -> Iterator[Rule]:
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9.])[pP]{{1,2}}\. ?([0-9]{{1,4}})(?: ?{DASH} ?([0-9]{{1,4}}))?(?![0-9.]){_NO_LATIN_AFTER}"),
        lambda match: match[1] + (locale.to + match[2] if match[2] else "") + "ページ",
    )
    # B1F, 5F, 1F〜3F
    yield Rule(
        re.compile(rf"{_FREE}B([1-9])(?:F{_END}|(?=階))"), lambda match: f"地下{match[1]}" + "階" * match[0].endswith("F")
    )
    yield Rule(re.compile(rf"{_FREE}([1-9][0-9]?)F{_END}(?![度°])"), lambda match: f"{match[1]}階")


def _angles(forms: JapaneseForms) -> Iterator[Rule]:
    """Rules for degrees, minutes and seconds, and for lengths and times with these signs: 52°11′28″N, 5'11", 25'30"."""

    def place(match: re.Match[str]) -> str:
        second = f"{match['second']}秒" if match["second"] else ""
        is_named = match.string[max(0, match.start() - 2) : match.start()] in forms.directions.values()
        to = "" if is_named else forms.directions.get(match["to"], "")
        return f"{to}{match['degree']}度{match['minute']}分{second}"

    def pair(match: re.Match[str]) -> str:
        is_height = int(match[1]) <= _MAX_FEET and int(match[2]) in _INCHES and len(match[2].lstrip("0")) == len(match[2])
        return f"{match[1]}フィート{match[2]}インチ" if is_height else f"{match[1]}分{int(match[2])}秒"

    yield Rule(
        re.compile(
            rf"{_FREE}(?P<degree>[0-9]{{1,3}})° ?(?P<minute>[0-9]{{1,2}}(?:\.[0-9]{{1,4}})?)[′'] ?"
            rf"(?:(?P<second>[0-9]{{1,2}}(?:\.[0-9]{{1,4}})?)(?:[″\"]|'') ?)?(?P<to>[NSEW]?){_END}"
        ),
        place,
    )
    yield Rule(re.compile(rf"{_FREE}([0-9]{{1,2}})[′']([0-9]{{1,2}})(?:[″\"]|''){_END}"), pair)
    yield Rule(
        re.compile(rf"(?<![0-9.A-Za-z])([0-9]{{1,3}}(?:\.[0-9])?)[″\"](?={any_of(forms.after_inches)})"),
        lambda match: f"{match[1]}インチ",
    )


def _mixed(locale: EastAsian) -> Iterator[Rule]:
    """Rules for amounts of several units, mixed numbers and scores with a long dash: 1h23m45s, 1m75cm, 1 1/2, 5―3."""
    units = locale.units
    yield Rule(
        re.compile(rf"{_FREE}([0-9]{{1,3}}) ?h ?([0-9]{{1,2}}) ?m(?:in)? ?([0-9]{{1,2}}) ?s{_END}"),
        lambda match: f"{match[1]}{units['h']}{int(match[2])}{units['min']}{int(match[3])}{units['s']}",
    )
    yield Rule(
        re.compile(rf"{_FREE}([0-9]{{1,3}}) ?m ?([0-9]{{1,2}}) ?cm{_END}"),
        lambda match: f"{match[1]}{units['m']}{int(match[2])}{units['cm']}",
    )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9./:-])([1-9][0-9]?) ([1-9])/([2-9]|1[0-9])(?![0-9/.])"),
        lambda match: (
            f"{match[1]}{locale.and_fraction}{match[3]}{locale.fraction}{match[2]}" if int(match[2]) < int(match[3]) else None
        ),
    )
    yield Rule(
        re.compile(rf"{_FREE}([0-9]{{1,3}}(?:\.[0-9])?) ?[lL]/100 ?km{_END}"),
        lambda match: f"100{units['km']}あたり{match[1]}{units['L']}",
    )
