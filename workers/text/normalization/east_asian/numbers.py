"""Numbers of Mandarin and Japanese with a hyphen, a slash or a letter: scores, ranges, seasons, models, 2.5k.

Why the words after a hyphen decide: 3-2获胜 is a score, 3-5天 a range, 歼-20 a model, and 气温-5℃ a negative number.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Final

from workers.text.locales.east_asian_groups import ShortScales
from workers.text.locales.structs import EastAsian
from workers.text.normalization.rules import Rule, any_of

DASH: Final = "[-‐‑–—−~～〜－]"
_HYPHEN: Final = "[-‐‑－−]"
_HAN: Final = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff"
_KANA: Final = "\u3040-\u30ff"
_NUMBER: Final = r"[0-9]++(?:\.[0-9]++)?+"
_YEAR: Final = "(?:1[0-9]{3}|20[0-9]{2})"
_DAY: Final = "(1[0-2]|0?[1-9])[/／](3[01]|[12][0-9]|0?[1-9])"
_FREE: Final = r"(?<![A-Za-z0-9.:/-])"


def slashes(locale: EastAsian) -> Iterator[Rule]:
    """Rules for a slash that is no fraction: 2023/24赛季, 2024/03, 2016/679, 50/50, 120/80, 元/月, 他/她."""
    words = locale.slashes
    seasons = any_of(words.seasons)
    yield Rule(
        re.compile(rf"{_FREE}({_YEAR}|[0-9]{{2}}) ?[-‐‑–—~～〜/／] ?([0-9]{{4}}|[0-9]{{2}})(?=年? ?{seasons})"),
        lambda match: _say_year(match[1], locale) + locale.to + _say_year(match[2], locale),
    )
    yield Rule(
        re.compile(rf"{_FREE}({_YEAR})[/／](1[0-2]|0?[1-9])(?![A-Za-z0-9/／.])"),
        lambda match: f"{match[1]}年{int(match[2])}月",
    )
    if words.dated:
        # 5/1〜5/5
        yield Rule(
            re.compile(rf"{_FREE}{_DAY}(?:\([月火水木金土日]\))? ?{DASH} ?{_DAY}(?![A-Za-z0-9/／.])"),
            lambda match: f"{int(match[1])}月{int(match[2])}日{locale.to}{int(match[3])}月{int(match[4])}日",
        )
        yield Rule(
            re.compile(rf"{_FREE}{_DAY}(?= ?{any_of(words.dated)})(?![0-9/／])"),
            lambda match: f"{int(match[1])}月{int(match[2])}日",
        )
    if words.dated and not locale.digits:
        yield Rule(
            re.compile(
                rf"{_FREE}(1[0-2]|0?[1-9])[/／](1[3-9]|2[0-9]|3[01])(?![A-Za-z0-9/／.])(?=[にはのかまへも、。（()）」』ー〜～・\s-]|\Z)"
            ),
            lambda match: f"{int(match[1])}月{int(match[2])}日",
        )
    if words.dated_after:
        # 截止日期为12/31, 12/25圣诞节
        yield Rule(
            re.compile(
                rf"({any_of(words.dated_after)}[为是在:：]?[ \"]?){_DAY}(?:(?: ?{DASH} ?|[到至]){_DAY})?(?![A-Za-z0-9/／.]|%)"
            ),
            lambda match: (
                match[1] + _say_day(match[2], match[3]) + (locale.to + _say_day(match[4], match[5]) if match[4] else "")
            ),
        )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9./／])([0-9]{1,4})[/／]([0-9]{1,4})(?=mmHg|(?![A-Za-z0-9/／]))(?!拍)"),
        lambda match: _say_pair(match[1], match[2], locale),
    )
    if words.beat:
        yield Rule(
            re.compile(r"(?<![A-Za-z0-9./／])([0-9]{1,2})[/／]([0-9]{1,2})(?=拍)"),
            lambda match: _say_year(match[2] + match[1], locale),
        )


def rates(locale: EastAsian) -> Iterator[Rule]:
    """Rules for a slash between words: 元/月, 円/人, 他/她, はい/いいえ. The units before it must be words already."""
    words = locale.slashes
    units = any_of(words.rates)
    # 470千卡/100克, 5グラム/100ミリリットル
    measured = rf"(?P<n>{_NUMBER})(?P<of>[{_HAN}{_KANA}]{{1,8}})[/／](?P<unit>[0-9]{{1,4}}[{_HAN}{_KANA}]{{1,8}})"
    yield Rule(
        re.compile(rf"(?<![0-9.,A-Za-z]){measured}"),
        lambda match: locale.rate.format(unit=match["unit"], amount=match["n"] + match["of"]),
    )
    if words.each:
        yield Rule(
            re.compile(rf"(?<=[{_HAN}])[/／](?P<unit>{units})(?![A-Za-z0-9])"),
            lambda match: words.each + words.rates[match["unit"]],
            needs_digit=False,
        )
    else:
        measured = rf"(?<![0-9.,A-Za-z])(?P<n>{_NUMBER})(?P<of>[{_HAN}{_KANA}]{{1,8}}?)[/／](?P<unit>{units})"
        yield Rule(re.compile(measured), lambda match: f"{words.rates[match['unit']]}{match['n']}{match['of']}")
    if words.either:
        yield Rule(re.compile(f"[/／](?={words.either})"), "", needs_digit=False)
        one = f"(?<![{_HAN}A-Za-z0-9/／])[{_HAN}]"
        yield Rule(
            re.compile(f"({one})[/／]([{_HAN}])(?![{_HAN}/／])|(?<=[他她您你])[/／](?=[他她它您你])"),
            lambda m: f"{m[1] or ''}{words.either}{m[2] or ''}",
            needs_digit=False,
        )
    yield Rule(re.compile(rf"(?<=[{_HAN}{_KANA}])[/／](?=[{_HAN}{_KANA}])"), "、", needs_digit=False)


def _say_day(month: str, day: str) -> str:
    return f"{int(month)}月{int(day)}日"


def _say_year(digits: str, locale: EastAsian) -> str:
    return "".join(locale.digits[int(digit)] for digit in digits) if locale.digits else digits


def _say_pair(first: str, second: str, locale: EastAsian) -> str | None:
    """Returns the words for two numbers with a slash that are no fraction; None for a fraction."""
    if len(first) == 4 and len(second) > 1:
        return _say_year(first, locale) + locale.slashes.between + _say_year(second, locale)
    over, under = int(first), int(second)
    if over + under == 100:
        return f"{over}{locale.against}{under}"
    return f"{over}、{under}" if over > under and over >= 20 else None


def scales(locale: EastAsian) -> Iterator[Rule]:
    """Rules for numbers with a letter for thousands or millions: 1.5k, 2M, 3w粉丝. 4K and 100M宽带 are no such numbers."""
    words = locale.short_scales
    for letter, factor in words.factors.items():
        kept = f"(?! ?{any_of(words.kept[letter])})" if letter in words.kept else ""
        needed = f"(?= ?{any_of(words.needed[letter])})" if letter in words.needed else ""
        yield Rule(
            re.compile(rf"(?<![A-Za-z0-9.,-])(?P<n>{_NUMBER}) ?{letter}(?![A-Za-z0-9/²³*]){kept}{needed}"),
            partial(_say_scale, words, factor),
        )
    if not locale.digits:
        # 24K, 8K: without this, pyopenjtalk says the digits one by one.
        yield Rule(re.compile("(?<=[0-9])K(?![A-Za-z0-9])"), "ケー")
    # 2h30m, 1m30s
    hours, minutes, seconds = locale.units["h"], locale.units["min"], locale.units["s"]
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.,-])([0-9]{1,3}) ?h ?([0-9]{1,2}) ?(?:min|m)?(?![A-Za-z0-9])"),
        lambda match: f"{match[1]}{hours}{int(match[2])}{minutes}",
    )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.,-])([0-9]{1,2}) ?(?:min|m) ?([0-9]{1,2}) ?s(?![A-Za-z0-9])"),
        lambda match: f"{match[1]}{minutes[:1]}{int(match[2])}{seconds}",
    )


def _say_scale(words: ShortScales, factor: str, match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 6) : match.start()].rstrip(" 约約为は：:")
    is_kept = match[0] in words.never or (words.kept_before and before.endswith(words.kept_before))
    return None if is_kept else _scale(match["n"], factor)


def _scale(number: str, scale: str) -> str:
    """Returns the number with the word or the digits of its scale: 1.5 and 1000 give 1500."""
    if not scale.isdigit():
        return number + scale
    whole = Decimal(number) * int(scale)
    return f"{whole:f}".rstrip("0").rstrip(".") if whole % 1 else str(int(whole))


_MODEL_HYPHEN: Final = re.compile(
    r"(?:(?P<digit>(?<=[0-9]))|(?<=[A-Za-z]))[-‐‑](?:(?P<n>[0-9]{3,5})(?=[A-Z]{0,2}(?![A-Za-z0-9.]))|(?=[0-9]))"
)


_BY_DIGIT: Final = re.compile(r"(?:i[3579]|(?i:pre|post|mid|circa|early|late))\Z")
"""Words before a round number that is said digit by digit: i9-13900K, pre-2000."""


def _say_model(hyphen: re.Match[str], locale: EastAsian) -> str:
    """Returns the text for a hyphen in the name of a model, with a number after it that is said digit by digit: MH-370."""
    between = "" if hyphen["digit"] is None else " "
    n = hyphen["n"]
    if n is None:
        return between
    is_by_digit = _BY_DIGIT.search(hyphen.string[: hyphen.start()][-5:]) is not None
    return between + (n if n.endswith("00") and not is_by_digit else _say_year(n, locale))


def hyphens(locale: EastAsian) -> Iterator[Rule]:
    """Rules for a hyphen or a dash next to a number, in this order: models, negative numbers, scores, ranges."""
    if locale.digits:
        # GPT-4, COVID-19, Qwen2.5-72B
        yield Rule(
            re.compile(r"(?<![A-Za-z0-9.@_-])[A-Za-z][A-Za-z0-9.]{0,30}(?:-[A-Za-z0-9.]{1,20}){1,5}(?![A-Za-z0-9@_-])"),
            lambda match: _MODEL_HYPHEN.sub(lambda hyphen: _say_model(hyphen, locale), match[0]),
        )
    yield Rule(re.compile(rf"(?<=[{_HAN}{_KANA}]){_HYPHEN}(?={_NUMBER})"), lambda match: _say_hyphen(match, locale))
    # 周一-周五, 月曜〜金曜
    yield Rule(
        re.compile(rf"(?:(?<=[周期拜][一二三四五六日天])|(?<=曜)|(?<=曜日)) ?{DASH} ?(?=周|星期|礼拜|[月火水木金土日]曜)"),
        locale.to,
        needs_digit=False,
    )
    # 800毫升～1升, 9銭〜10銭
    yield Rule(
        re.compile(rf"(?<=[0-9])([{_HAN}{_KANA}]{{1,8}}) ?[~～〜–] ?(?={_NUMBER}[{_HAN}{_KANA}])"),
        lambda match: match[1] + locale.to,
    )
    # -10℃~-5℃, -5℃~3℃
    yield Rule(re.compile(rf"(?<=[0-9%度]) ?[~～〜–—至] ?{_HYPHEN}(?=[0-9])"), locale.to + locale.minus)
    yield Rule(re.compile("(?<=[月日时時分点點号號年度)）]) ?[~～〜–—] ?(?=[0-9])"), locale.to)
    yield Rule(re.compile(rf"(?<![A-Za-z0-9.)-]){_HYPHEN}(?=[0-9])"), locale.minus)
    yield from _scores(locale)
    # 2丁目8-1
    yield Rule(re.compile("(?<=丁目)([0-9]{1,3})[-‐‑–](?=[0-9])"), lambda match: match[1] + locale.address_number)
    # 1914-1918, 2-21-1
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9.-])({_YEAR})年? ?{DASH} ?({_YEAR})(?=[年)）]|(?![A-Za-z0-9.-]))"),
        lambda match: _say_span(match, locale),
    )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.-])[0-9]{1,4}(?:-[0-9]{1,4}){2,3}(?![A-Za-z0-9-])"),
        lambda match: match[0].replace("-", locale.address_number),
    )
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9.-])([0-9]++(?:\.[0-9]++)?+[%年月日]?) ?{DASH} ?(?=[0-9]++(?![0-9]*+{DASH}))"),
        lambda match: f"{match[1]}{locale.to}",
    )


_MEASURED: Final = re.compile(
    rf"{_NUMBER}(?: ?[-~～〜至到から]{{1,2}} ?-?{_NUMBER})? ?(?:[%％℃°度]|摄氏|華氏|华氏|摄|攝氏)|[0-9]++\.[0-9]"
)


def _say_hyphen(match: re.Match[str], locale: EastAsian) -> str:
    """Returns the word for minus, or nothing if the hyphen joins a name and a number."""
    text, place = match.string, match.end()
    before = text[max(0, match.start() - 4) : match.start()]
    if before.endswith(locale.models.names):
        return ""
    is_negative = before.endswith(locale.models.negative_after) or _MEASURED.match(text, place) is not None
    return locale.minus if is_negative or not _is_name(before[-1], locale) else ""


def _is_name(character: str, locale: EastAsian) -> bool:
    """Whether a hyphen after this character belongs to a name. In Japanese, names before a number are in katakana."""
    return locale.language == "zh" or "\u30a0" <= character <= "\u30ff"


def _say_span(match: re.Match[str], locale: EastAsian) -> str | None:
    """Returns a span of years; None for two numbers that are not in the order of time."""
    first, last = match[1], match[2]
    if int(first) >= int(last):
        return None
    year = "年" if match.string[match.end() : match.end() + 1] == "年" or "年" in match[0] or locale.language == "ja" else ""
    end = "" if match.string[match.end() : match.end() + 1] == "年" else year
    said_last = last if year else _say_year(last, locale)
    return f"{first if year else _say_year(first, locale)}{year}{locale.to}{said_last}{end}"


def _say_sets(match: re.Match[str], measures: tuple[str, ...], locale: EastAsian) -> str | None:
    """Returns the scores of several sets; None if they are ranges, all of which ascend."""
    pairs = re.findall("([0-9]+)[-‐‑–]([0-9]+)", match[0])
    is_range = match.string[match.end() :][:4].startswith(measures)
    if is_range or all(int(first) < int(second) for first, second in pairs):
        return None
    return re.sub("[-‐‑–]", locale.against, match[0])


def _scores(locale: EastAsian) -> Iterator[Rule]:
    words = locale.scores

    def verbalize(match: re.Match[str]) -> str | None:
        first, second = int(match[1]), int(match[2])
        before, after = match.string[max(0, match.start() - 6) : match.start()], match.string[match.end() : match.end() + 8]
        is_named = before.endswith(words.before) or after.lstrip(" 的で").startswith(words.after)
        is_range = after.startswith(words.not_after) or before.endswith(words.not_before)
        if not is_named and (is_range or first < second):
            return None
        return f"{match[1]}{locale.against}{match[2]}"

    # 11-9、9-11、11-7
    yield Rule(
        re.compile(
            r"(?<![A-Za-z0-9.:/-])[0-9]{1,3}[-‐‑–][0-9]{1,3}(?:[、，,] ?[0-9]{1,3}[-‐‑–][0-9]{1,3}){1,9}(?![A-Za-z0-9.:/-])"
        ),
        lambda match: _say_sets(match, words.not_after, locale),
    )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9.:/-])([0-9]{1,3})[-‐‑–](?![-‐‑–])([0-9]{1,3})(?![A-Za-z0-9.:/-])(?! ?[=+×÷*^])"),
        verbalize,
    )
