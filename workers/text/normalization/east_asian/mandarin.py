"""Numbers of Mandarin with marks between them: versions, documents, clocks, lengths, ranges.

Why they come before all other rules of numbers: these would take 3.12.1 for a decimal, and 3-8 for a score.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import EastAsian
from workers.text.normalization.east_asian import dates, names, prices
from workers.text.normalization.east_asian.codes import spell_digits, spell_plainly
from workers.text.normalization.rules import Rule, any_of

_DASH: Final = "[-‐‑–—−~～〜－]"
_END: Final = "(?![A-Za-z0-9])"
_MEASURES: Final = (*"月日号號时時点點期届级級章页周楼层℃", "世纪", "分钟", "摄氏度", "年代", "美元", "欧元", "英寸")
_EMERGENCY: Final = "1(?:10|19|20|22)"


def rules(locale: EastAsian) -> Iterator[Rule]:
    """Rules that come before all others of Mandarin."""
    # The whole text is the number of an emergency call.
    yield Rule(re.compile(rf"\A{_EMERGENCY}(?=[。.!！]?\Z)"), lambda match: spell_digits([match[0]], locale))
    yield from _versions(locale)
    yield from _documents(locale)
    yield from dates.rules(locale)
    yield from names.rules(locale)
    yield from _clocks(locale)
    yield from prices.rules(locale)
    yield from _lengths(locale)
    yield from _ranges(locale)


def _versions(locale: EastAsian) -> Iterator[Rule]:
    """Rules for versions, sections and addresses of computers: 3.12.1, 192.168.1.1."""

    def verbalize(match: re.Match[str]) -> str | None:
        first, *others = match["n"].split(".")
        if len(first) == 4 and len(others) == 2 and int(others[0]) <= 12 and int(others[1]) <= 31:
            return None
        said = spell_plainly(first, locale) if len(others) == 3 and len(first) > 1 else first
        return match["v"] + "点".join([said, *(spell_plainly(part, locale) for part in others)])

    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.])(?P<v>[vV]?)(?P<n>[0-9]{1,4}(?:\.[0-9]{1,5}){2,3})(?![A-Za-z0-9]|\.[0-9])"), verbalize
    )


def _documents(locale: EastAsian) -> Iterator[Rule]:
    """Rules for the numbers of documents and standards: 国发〔2016〕5号, GB/T 7714-2015."""

    def verbalize(match: re.Match[str]) -> str:
        number = "点".join(spell_plainly(part, locale) for part in match["n"].split("."))
        return f"{match['name']} {number}{locale.address_number}{spell_plainly(match['year'], locale)}"

    yield Rule(
        re.compile(
            r"(?<![A-Za-z0-9])(?P<name>(?:GB|ISO|IEC|DB|HJ|JG|JGJ|QB|YY|YD|SJ|NY|CJJ|TSG|EN|IEEE|ANSI)[0-9]{0,2}(?:/[A-Z]{1,3})?)"
            rf" ?(?P<n>[0-9]{{1,5}}(?:\.[0-9]{{1,3}})?)[-–—:：](?P<year>(?:19|20)[0-9]{{2}}){_END}"
        ),
        verbalize,
    )
    yield Rule(
        re.compile(r"(?<=[〔\[【（(〈])(?:19|20)[0-9]{2}(?=[〕\]】）)〉])"), lambda match: spell_plainly(match[0], locale)
    )


def _clocks(locale: EastAsian) -> Iterator[Rule]:
    """Rules for clocks: 7:00 AM, 3pm, 早上8.30."""

    def verbalize(match: re.Match[str]) -> str:
        hour, is_early = int(match["hour"]), match["half"][0] in "aA"
        if match["part"]:
            part = match["part"]
        elif is_early:
            part = "凌晨" if hour < 6 or hour == 12 else "上午"
        else:
            part = "中午" if hour == 12 else "下午" if hour < 6 else "晚上"
        minutes = match["minutes"]
        return f"{part}{hour}:{minutes}" if minutes else f"{part}{hour}{locale.hour}"

    parts = "上午|下午|早上|晚上|凌晨|中午|傍晚|清晨|早晨|夜里|半夜"
    hour = "(?P<hour>1[0-2]|0?[1-9])"
    yield Rule(
        re.compile(
            rf"(?<![A-Za-z0-9.:])(?P<part>(?:{parts})?){hour}(?:[:：](?P<minutes>[0-5][0-9]))? ?"
            r"(?P<half>[aApP]\.?[mM])\.?(?![A-Za-z0-9])"
        ),
        verbalize,
    )
    # 7:00 PM – 9:00 PM
    yield Rule(re.compile(rf"(?<=[0-9点]) ?{_DASH} ?(?=(?:{parts})[0-9]{{1,2}}[:：点])"), locale.to)
    # 20:15分开播
    yield Rule(re.compile("(?<=[0-9][:：][0-5][0-9])分(?=[^0-9钟之]|\\Z)"), "")
    # 比分3:16 is no time.
    yield Rule(
        re.compile(
            "((?:比分|总分|大比分|局分|比例|比率|配比|票数|比|以|战成|打成)[为是了:：]?)([0-9]{1,3})[:：]([0-9]{1,3})(?![0-9:：])"
        ),
        lambda match: f"{match[1]}{match[2]}{locale.against}{match[3]}",
    )
    yield Rule(
        re.compile(rf"({parts})([于在]?)(1?[0-9]|2[0-3])\.([0-5][0-9])(?![0-9.%米元度万亿倍公小个]| ?[A-Za-z℃°])"),
        lambda match: f"{match[1]}{match[2]}{match[3]}:{match[4]}",
    )


def _lengths(locale: EastAsian) -> Iterator[Rule]:
    """Rules for 1m85, 2 1/2杯, 27"显示器, 东经116°23′ and 120mg/dL."""
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.])([12])(?:m|米)([0-9]{2})(?! ?[A-Za-z0-9.])"),
        lambda match: f"{match[1]}米{spell_plainly(match[2], locale)}",
    )
    # 3k5, 9秒83, 1:24.10
    yield Rule(
        re.compile("(?<![A-Za-z0-9.])([1-9])([kKwW])([1-9])(?![A-Za-z0-9.])"),
        lambda match: f"{match[1]}{'千' if match[2] in 'kK' else '万'}{match[3]}",
    )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9:.])([0-9]{1,2}):([0-5][0-9])\.([0-9]{1,3})(?![A-Za-z0-9:.])"),
        lambda match: f"{int(match[1])}分{int(match[2])}秒{spell_plainly(match[3], locale)}",
    )
    yield Rule(re.compile("(?<=[0-9]秒)([0-9]{2})(?![0-9秒分.])"), lambda match: spell_plainly(match[1], locale))
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9./])([0-9]{1,3}) ([1-9])/([2-9]|1[0-6])(?![A-Za-z0-9/])"),
        lambda match: (
            f"{match[1]}{locale.and_fraction}{match[3]}{locale.fraction}{match[2]}"
            if match[2] < match[3] or len(match[3]) > 1
            else None
        ),
    )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.])([4-8])['′] ?([0-9]|1[01])(?:\"|″|'')(?![A-Za-z0-9])"),
        lambda match: f"{match[1]}英尺{match[2]}英寸",
    )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.\"])([0-9]{1,3}(?:\.[0-9]{1,2})?)(?:\"|″|'')(?=\s?[\u4e00-\u9fff](?![^\"\n]{0,40}\"))"),
        lambda match: None if match.string[max(0, match.start() - 100) : match.start()].count('"') % 2 else f"{match[1]}英寸",
    )
    yield Rule(
        re.compile(r"([0-9]{1,3})[°º˚] ?([0-9]{1,2})['′](?: ?([0-9]{1,2}(?:\.[0-9]{1,3})?)(?:\"|″|''|′′))?"),
        lambda match: f"{match[1]}度{int(match[2])}分" + (f"{match[3]}秒" if match[3] else ""),
    )
    # 120mg/dL, 100MB/s, 5mg/kg/d
    units = {sign: name for sign, name in locale.units.items() if sign[0].isalpha() or sign[0] == "°"} | {"d": "天"}
    unit = any_of(units)
    yield Rule(
        re.compile(
            rf"(?<=[0-9])(?! ?{any_of(locale.speeds)}(?![A-Za-z])) ?(?P<over>{unit})"
            rf"(?P<under>(?:/{unit}){{1,2}})(?![A-Za-z0-9/²³⁻^])"
        ),
        lambda match: (
            units[match["over"]] + "".join(locale.slashes.each + units[part] for part in match["under"][1:].split("/"))
        ),
    )


def _ranges(locale: EastAsian) -> Iterator[Rule]:
    """Rules for a hyphen between two numbers with their own measure words: 70%-80%, 3月5日-8日, 5岁-10岁."""
    yield Rule(re.compile(rf"(?<=[0-9][%％‰]) ?{_DASH} ?(?=[0-9])"), locale.to)
    # 前259年—前210年
    yield Rule(re.compile(rf"(?<=[0-9]年) ?{_DASH} ?(?=前[0-9])"), locale.to)
    measures = any_of({*locale.counted, *locale.measured, *_MEASURES})
    second = r"第?[0-9]{1,9}(?:\.[0-9]{1,3})?(?:[\u4e00-\u9fff%％，。；、）)\s]|\Z)"
    yield Rule(
        re.compile(rf"(?<=[0-9])((?:万|亿|千|百)?{measures}) ?[-‐‑−—–－] ?(?={second})"), lambda match: match[1] + locale.to
    )
