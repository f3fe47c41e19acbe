r"""Normalization of Mandarin and Japanese: what cn2an and pyopenjtalk leave unread or misread; their cardinals stay numerals.

Why the patterns look for ASCII: between characters there are no spaces, and a Han character is a letter to `\w`.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.normalization.rules import Rule, any_of

_N: Final = r"(?<![0-9.,A-Za-z])(?P<n>[0-9]++(?:\.[0-9]++)?+)"
_END: Final = "(?![A-Za-z0-9])"
_DASH: Final = "[-‐‑–—~～〜]"
_HAN_DIGITS: Final = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_PHONE_DIGITS: Final = _HAN_DIGITS | {"1": "幺"}
_FRACTIONS: Final = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
}

_MONEY: Final = {
    "zh": {
        "¥": "元",
        "￥": "元",
        "CNY": "元",
        "RMB": "元",
        "US$": "美元",
        "$": "美元",
        "USD": "美元",
        "€": "欧元",
        "EUR": "欧元",
        "£": "英镑",
        "HK$": "港元",
        "NT$": "新台币",
    },
    "ja": {
        "¥": "円",
        "￥": "円",
        "JPY": "円",
        "US$": "ドル",
        "$": "ドル",
        "USD": "ドル",
        "€": "ユーロ",
        "EUR": "ユーロ",
        "£": "ポンド",
    },
}
_UNITS: Final = {
    "zh": {
        "mm": "毫米",
        "cm": "厘米",
        "m": "米",
        "km": "公里",
        "mg": "毫克",
        "g": "克",
        "kg": "公斤",
        "ml": "毫升",
        "mL": "毫升",
        "L": "升",
        "l": "升",
        "s": "秒",
        "ms": "毫秒",
        "min": "分钟",
        "h": "小时",
        "W": "瓦",
        "kW": "千瓦",
        "kWh": "千瓦时",
        "V": "伏",
        "mA": "毫安",
        "A": "安",
        "Hz": "赫兹",
        "kHz": "千赫",
        "MHz": "兆赫",
        "GHz": "吉赫",
        "KB": "千字节",
        "MB": "兆字节",
        "GB": "吉字节",
        "m²": "平方米",
        "km²": "平方公里",
        "m³": "立方米",
        "°C": "摄氏度",
        "℃": "摄氏度",
        "°F": "华氏度",
        "°": "度",
        "‰": "‰",
    },
    "ja": {
        "°C": "度",
        "℃": "度",
        "°F": "度",
        "°": "度",
        "m²": "平方メートル",
        "km²": "平方キロメートル",
        "m³": "立方メートル",
        "mA": "ミリアンペア",
        "kWh": "キロワット時",
        "GB": "ギガバイト",
        "MB": "メガバイト",
        "GHz": "ギガヘルツ",
        "MHz": "メガヘルツ",
        "min": "分",
        "h": "時間",
        "s": "秒",
        "ms": "ミリ秒",
        "mm": "ミリメートル",
        "cm": "センチメートル",
        "m": "メートル",
        "km": "キロメートル",
        "mg": "ミリグラム",
        "g": "グラム",
        "kg": "キログラム",
        "t": "トン",
        "ml": "ミリリットル",
        "mL": "ミリリットル",
        "L": "リットル",
        "l": "リットル",
        "W": "ワット",
        "kW": "キロワット",
        "V": "ボルト",
        "Hz": "ヘルツ",
        "kHz": "キロヘルツ",
        "KB": "キロバイト",
        "TB": "テラバイト",
        "dB": "デシベル",
    },
}
_SPEEDS: Final = {
    "zh": {
        "km/h": ("每小时", "公里"),
        "kph": ("每小时", "公里"),
        "m/s": ("每秒", "米"),
        "km/s": ("每秒", "公里"),
        "mph": ("每小时", "英里"),
    },
    "ja": {
        "km/h": ("時速", "キロメートル"),
        "kph": ("時速", "キロメートル"),
        "m/s": ("秒速", "メートル"),
        "km/s": ("秒速", "キロメートル"),
        "mph": ("時速", "マイル"),
    },
}
"""What stands before the number and what behind it."""
_SPEED_SAID: Final = re.compile("(?:时速|每小时|每秒|秒速|時速|毎時|毎秒|風速)(?:[为是约約は]|达到)? ?\\Z")
_SIGNS: Final = {
    "zh": {
        "&": "和",
        "＆": "和",
        "+": "加",
        "＋": "加",
        "=": "等于",
        "＝": "等于",
        "×": "乘以",
        "÷": "除以",
        "±": "正负",
        "≈": "约等于",
        "≤": "小于等于",
        "≥": "大于等于",
        "→": "到",
    },
    "ja": {
        "&": "アンド",
        "＆": "アンド",
        "+": "プラス",
        "＋": "プラス",
        "=": "イコール",
        "＝": "イコール",
        "×": "かける",
        "÷": "割る",
        "±": "プラスマイナス",
        "≈": "約",
        "≤": "以下",
        "≥": "以上",
        "→": "から",
    },
}
_ADDRESS: Final = {
    "zh": {
        "@": "艾特",
        ".": "点",
        "/": "斜杠",
        "-": "杠",
        "_": "下划线",
        "?": "问号",
        "=": "等于",
        "&": "和",
        "#": "井号",
        "+": "加",
        "%": "百分号",
        ":": "冒号",
        "~": "波浪号",
    },
    "ja": {
        "@": "アットマーク",
        ".": "ドット",
        "/": "スラッシュ",
        "-": "ハイフン",
        "_": "アンダーバー",
        "?": "クエスチョン",
        "=": "イコール",
        "&": "アンド",
        "#": "シャープ",
        "+": "プラス",
        "%": "パーセント",
        ":": "コロン",
        "~": "チルダ",
    },
}
_DATE: Final = "{}年{}月{}日"
_TO: Final = {"zh": "到", "ja": "から"}
_AGAINST: Final = {"zh": "比", "ja": "対"}
_MINUS: Final = {"zh": "负", "ja": "マイナス"}
_SCALES: Final = "万|萬|亿|億|百万|千万|兆"
_HOUR: Final = {"zh": "点", "ja": "時"}
_SECOND: Final = {"zh": "秒", "ja": "秒"}
_NUMERO: Final = {"zh": ("", "号"), "ja": ("ナンバー", "")}
"""Before and behind a number, for "No."."""
_PLUS: Final = {"zh": "加", "ja": "プラス"}
_COUNTED: Final = (
    "个個只本张張条條件名位次天年岁歲杯块塊辆輛台家座双雙对對种種颗顆头頭把封间間层層句首场場份部支枝匹棵顿頓遍趟瓶碗包袋箱"
)

_MEASURED: Final = "[米斤元块万千亿倍周吨升]|公里|公斤|小时|分钟|星期|厘米|平方米|平方公里|毫升|英里"
"""Measures before which 2 is 两 too."""
_URL: Final = re.compile(r"(?<![A-Za-z0-9])(?:https?://|www\.)[!#-;=?-~]{1,2000}+")
_EMAIL: Final = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}+@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}")


def rules(language: str) -> Iterator[Rule]:
    """All of `zh` or `ja`, in order."""
    yield from _addresses(language)
    yield from _phones(language)
    yield from _dates_and_times(language)
    yield Rule(
        re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:[,，][0-9]{3}){1,8}+(?![0-9]|[,，][0-9])"),
        lambda match: match[0].replace(",", "").replace("，", ""),
    )
    yield from _money(language)
    yield from _measures(language)
    yield from _numbers(language)
    yield from _signs(language)


def _addresses(language: str) -> Iterator[Rule]:
    words = _ADDRESS[language]

    def verbalize(match: re.Match[str]) -> str:
        text = match[0].rstrip(".,;:!?)'*_]}")
        body = text.partition("://")[2] or text
        spoken = "".join(f" {words[sign]} " if sign in words else sign for sign in body.rstrip("/"))
        return spoken.strip() + match[0][len(text) :] if body.strip("/") else match[0]

    yield Rule(_URL, verbalize, needs_digit=False)
    yield Rule(_EMAIL, verbalize, needs_digit=False)


def _phones(language: str) -> Iterator[Rule]:
    """+86 138-1234-5678, 03-1234-5678, 13812345678: digit by digit."""

    def verbalize(match: re.Match[str]) -> str | None:
        text = match[0].rstrip(" -()")
        groups = re.findall("[0-9]+", text)
        if not 7 <= sum(map(len, groups)) <= 15:
            return None
        plus = _PLUS[language] if text[0] == "+" else ""
        table = _PHONE_DIGITS if language == "zh" else _JAPANESE_DIGITS
        joint = "，" if language == "zh" else "の"
        between = "" if language == "zh" else "、"
        return plus + joint.join(between.join(table[digit] for digit in group) for group in groups) + match[0][len(text) :]

    yield Rule(re.compile(r"(?<![\w+])\+[0-9][0-9 ()-]{5,22}"), verbalize)
    yield Rule(re.compile(rf"(?<![A-Za-z0-9-])0[0-9]{{1,4}}-[0-9]{{1,8}}(?:-[0-9]{{3,4}})?{_END}(?!-)"), verbalize)
    if language == "ja":
        yield Rule(
            re.compile(rf"〒 ?([0-9]{{3}})-([0-9]{{4}}){_END}"),
            lambda match: (
                "郵便番号" + "の".join("、".join(_JAPANESE_DIGITS[digit] for digit in group) for group in match.groups())
            ),
        )
    if language == "zh":
        yield Rule(re.compile(rf"(?<![A-Za-z0-9.])1[3-9][0-9](?:-?[0-9]{{4}}){{2}}{_END}(?!-)"), verbalize)


_JAPANESE_NAMES: Final = "ゼロ イチ ニー サン ヨン ゴー ロク ナナ ハチ キュー"
_JAPANESE_DIGITS: Final = dict(zip("0123456789", _JAPANESE_NAMES.split(), strict=True))


def _dates_and_times(language: str) -> Iterator[Rule]:
    def verbalize_date(match: re.Match[str]) -> str | None:
        year, month, day = match[1], int(match[3]), int(match[4])
        return _DATE.format(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None

    def verbalize_time(match: re.Match[str]) -> str:
        hour, minute, second = int(match[1]), int(match[2]), match[3]
        minutes = f"{'零' if 0 < minute < 10 and language == 'zh' else ''}{minute}分" if minute or second else ""
        return f"{hour}{_HOUR[language]}{minutes}" + (f"{int(second)}{_SECOND[language]}" if second else "")

    yield Rule(re.compile(r"(?<![A-Za-z0-9./-])([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![A-Za-z0-9/-])"), verbalize_date)
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9:.])([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?:[:：]([0-5][0-9]))?(?![A-Za-z0-9:：])"),
        verbalize_time,
    )
    # 10:00-12:00, 3:2
    yield Rule(re.compile(rf"(?<=[0-9][点時分秒]) ?{_DASH} ?(?=[0-9])"), _TO[language])
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9:.])([0-9]{1,3})[:：](?=[0-9]{1,3}(?![A-Za-z0-9:：]))"),
        lambda match: match[1] + _AGAINST[language],
    )
    yield Rule(re.compile(r"(?<![A-Za-z0-9./])24/7(?![A-Za-z0-9/])"), "24 7")


def _money(language: str) -> Iterator[Rule]:
    table = _MONEY[language]
    scale = rf"(?P<scale>{_SCALES})?"

    def verbalize(match: re.Match[str]) -> str:
        whole, _, rest = match["n"].partition(".")
        rest = rest.rstrip("0")
        return f"{whole}{'.' + rest if rest else ''}{match['scale'] or ''}{table[match['sign']]}"

    yield Rule(re.compile(rf"(?<![A-Za-z$])(?P<sign>{any_of(table)}) ?(?P<n>[0-9]++(?:\.[0-9]++)?+){scale}"), verbalize)
    yield Rule(re.compile(rf"{_N}{scale} ?(?P<sign>{any_of(table)}){_END}"), verbalize)


def _speeds(language: str) -> Rule:
    """5 km/h, 10-20km/h; without the words before the number where they are there."""
    words = _SPEEDS[language]

    def verbalize(match: re.Match[str]) -> str:
        before, after = words[match["unit"]]
        is_said = _SPEED_SAID.search(match.string[max(0, match.start() - 8) : match.start()]) is not None
        first = f"{match['first']}{_TO[language]}" if match["first"] else ""
        return f"{'' if is_said else before}{first}{match['n']}{after}"

    n = r"[0-9]++(?:\.[0-9]++)?+"
    return Rule(
        re.compile(rf"(?<![0-9.,A-Za-z])(?:(?P<first>{n}) ?{_DASH} ?)?(?P<n>{n}) ?(?P<unit>{any_of(words)})(?![A-Za-z0-9/²³])"),
        verbalize,
    )


def _measures(language: str) -> Iterator[Rule]:
    units = _UNITS[language]
    yield _speeds(language)
    yield Rule(
        re.compile(rf"{_N} ?(?P<unit>{any_of(units)})(?![A-Za-z0-9/²³])"), lambda match: match["n"] + units[match["unit"]]
    )
    signs = "".join(_FRACTIONS)
    yield Rule(
        re.compile(rf"(?<![0-9.,])(?P<whole>[0-9]{{1,9}})?(?P<sign>[{signs}])"),
        lambda match: (
            (f"{match['whole']}又" if match["whole"] and language == "zh" else f"{match['whole']}と" if match["whole"] else "")
            + _verbalize_fraction(_FRACTIONS[match["sign"]], language)
        ),
    )
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9./])[0-9]{1,4}[/／][0-9]{1,4}(?![A-Za-z0-9/／])"),
        lambda match: _verbalize_fraction(match[0].replace("／", "/"), language),
    )


def _verbalize_fraction(text: str, language: str) -> str:
    over, _, under = text.partition("/")
    return f"{under}分之{over}" if language == "zh" else f"{under}分の{over}"


def _numbers(language: str) -> Iterator[Rule]:
    before, after = _NUMERO[language]
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9])(?:N[Oo]\.? ?|№ ?|#)(?P<n>[0-9]++)(?![A-Za-z0-9.])"),
        lambda match: before + match["n"] + after,
    )
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9.-])([0-9]{{4}}){_DASH}([0-9]{{4}})年"),
        lambda match: f"{match[1]}年{_TO[language]}{match[2]}年",
    )
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9.-])([0-9]++(?:\.[0-9]++)?+[%年月日]?) ?{_DASH} ?(?=[0-9]++(?![0-9]*+{_DASH}))"),
        lambda match: f"{match[1]}{_TO[language]}",
    )
    yield Rule(re.compile(r"(?<![A-Za-z0-9.)-])[-−](?=[0-9])"), _MINUS[language])
    if language == "zh":
        yield Rule(re.compile(rf"(?<![0-9.,第点月])2(?=[{_COUNTED}]|{_MEASURED})"), "两")


def _signs(language: str) -> Iterator[Rule]:
    words = _SIGNS[language]
    loose = "".join(sign for sign in words if sign not in "+")
    yield Rule(re.compile(rf" ?[{loose}] ?"), lambda match: words[match[0].strip()], needs_digit=False)
    yield Rule(re.compile(r"(?<!\+)\+{1,3}(?!\+)"), lambda match: words["+"] * len(match[0]), needs_digit=False)
