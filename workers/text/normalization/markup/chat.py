"""Reads the signs of chats: emoticons and :smile: become emoji, faces of signs are dropped, short forms are written out.

Why emoticons become emoji: the operator's setting for emoji then decides for both.
"""

import re
from functools import cache
from typing import Final

import emoji

from app.core.speech.characters import in_class
from workers.text.locales import loader
from workers.text.normalization.rules import Rule, any_of, apply
from workers.text.tracked_text import TrackedText

_MARKS: Final = loader.everywhere().marks
_EMOTICONS: Final = {**_MARKS.emoticons, **_MARKS.spaced_emoticons}
_FIRST: Final = in_class("".join(sorted({one[0] for one in _EMOTICONS})))
_EMOTICON: Final = re.compile(
    rf"(?=[{_FIRST}])(?:(?<=[\s\w.,!?…)])|^)(?<![0-9:]){any_of(_EMOTICONS)}(?:[)(]{{1,9}}+)?+(?![\w:/(\\=<>^-]|(?<=\*)\*)"
)
_SHORTCODE: Final = re.compile(
    r"(?<![A-Za-z0-9_:/]):(?P<name>[a-z0-9_+-]{2,40}):(?![A-Za-z0-9_/]|:(?![a-z0-9_+-]{2,40}:))|(?<=:):(?P<next>[a-z0-9_+-]{2,40}):(?![\w/])"
)
_FACE_SIGNS: Final = r"\^￣~～´`｀'\";；:：・･°º•ᴥᵔᴗ◕ಠ益ʘ◡ω∀∇▽д皿□▔╥≧≦＞＜><Дツ╯╰ヮ⌒‿∩ᗒᗕ﹏ㅂㅅㅎ゜ﾟ¯_＿.,=\-*+oOuUTQxX0vσε3"
_FACE_PART: Final = "\\^￣´`・･°ᴥᵔᴗ◕ಠ益ʘω∀∇▽д皿□╥≧≦ДツヮT;_⌒‿ㅂㅅㅠㅜ＾"
_FACE: Final = re.compile(
    rf"(?<![A-Za-z0-9_¯\\])[mψヽ＼ʕ╮¯\\_٩ლ╰╯ヾ]{{0,4}}+[(（ʕ](?=[^()（）\n]{{0,14}}[{_FACE_PART}])"
    rf"[ {_FACE_SIGNS}＾ㅠㅜ/／\\|]{{2,14}}+[)）ʔ]"
    r"(?:[ﾉノ/_¯＼\\╯╭乂۶ლ♡︵ ┻━ԅ≡ mやゞツ゛ヽ]{0,9}?(?:[ﾉノ¯╯╭۶ლ┻](?!\w)|(?<= )m(?!\w)|(?<=_/)¯|m(?!\w))|)"
)
_NUMBER_AFTER: Final = re.compile(r"\. ?(?:[0-9]|[a-z]\.)")
"""What shows that a short form is an abbreviation: qd. 5, q. e. p. d."""
_FACE_ONLY: Final = re.compile(r"[^A-Za-z0-9()（） .,=+*'\";:_-]")
_EYES: Final = re.compile(
    r"[(（] ?(?P<eye>[TtQoOuU0;^><~`'*=-])(?:[_.ωoO▽∀]|(?<=\^))(?P=eye)[;'o]? ?[)）]|m ?[(（]_ ?_[)）] ?m|[(（]><[)）]"
)
"""A face in brackets with two equal eyes: (T_T), (^^)."""
_SHRUG: Final = re.compile(r"¯\\{1,3}_?\((?:ツ|\\?_?ツ_?)\)_?/¯")
_TABLE_FLIP: Final = re.compile(r"(?:\([^()\n]{1,12}\)[╯ﾉノ]?\s?︵|[┻┳][━─]+[┻┳]|︵\s?[┻┳]?[━─]*[┻┳]?)")
_LAUGHTER: Final = (
    # 草, ww, （笑）, 233
    Rule(
        re.compile(r"(?:(?<=[\u3040-\u30ff\u4e00-\u9fff。！？!?]))[wｗ]{1,20}+(?![A-Za-zａ-ｚ0-9./:_-]|[のを上で版])"),
        "",
        needs_digit=False,
    ),
    Rule(re.compile(r"[(（](?:笑|爆笑|泣|汗|涙|苦笑|照)[)）]"), "", needs_digit=False),
)
_REPEATED: Final = re.compile(
    r"(?<!\w)(?P<part>kk|rs|ha|ja|je|ji|he|hi|ah)(?P=part){1,400}+(?:k|h|a|j|s)?(?!\w)", re.IGNORECASE
)


def read_emoticons(tracked: TrackedText, language: str) -> TrackedText:
    """Replaces emoticons and names of emoji in colons by emoji, and drops faces made of several signs."""
    text = tracked.text
    if ":" in text:
        tracked = tracked.sub(_SHORTCODE, _find_emoji)
    if any(sign in text for sign in "ツ︵┻┳"):
        tracked = tracked.sub(_SHRUG, "🤷").sub(_FACE, _drop_face).sub(_TABLE_FLIP, "")
    else:
        tracked = tracked.sub(_FACE, _drop_face)
    hearts, table = _hearts(language.partition("-")[0].lower())
    return tracked.sub(_EYES, " ").sub(hearts, lambda match: table[match[0].lower()]).sub(_EMOTICON, _to_emoji)


def write_out_chat(tracked: TrackedText, language: str) -> TrackedText:
    """Writes out the short forms that people type in chats, in `language` (BCP 47)."""
    name = language.partition("-")[0].lower()
    tracked = tracked.sub(_REPEATED, lambda match: match["part"] * (1 if match["part"].lower() == "kk" else 2))
    if name == "ja":
        tracked = apply(tracked, _LAUGHTER)
    pattern, table = _chat(name)
    return tracked.sub(pattern, lambda match: _write_out(match, table)) if table else tracked


def _find_emoji(match: re.Match[str]) -> str | None:
    name = match["name"] or match["next"]
    found = emoji.emojize(f":{name}:", language="alias")
    return found if found != f":{name}:" else None


def _to_emoji(match: re.Match[str]) -> str | None:
    sign = match[0]
    if sign not in _EMOTICONS:
        sign = sign.rstrip("()") + sign[len(sign.rstrip("()"))]
    before = match.string[match.start() - 1 : match.start()] if match.start() else ""
    if sign in _MARKS.spaced_emoticons and before.strip():
        return None
    line = match.string[max(0, match.start() - 100) : match.start()]
    if sign[-1] in ")]" and max(line.rfind("("), line.rfind("[")) > max(line.rfind(")"), line.rfind("]")):
        return None
    return (" " if before.strip() else "") + _EMOTICONS.get(sign, "🙂")


def _drop_face(match: re.Match[str]) -> str | None:
    """Drops a face with at least two signs that no word has."""
    face = match[0]
    n_signs = len(_FACE_ONLY.findall(face))
    if not n_signs or n_signs + face.count("_") + face.count(";") < 2 or re.search(r"[A-Za-z]{3}|[0-9]{2}", face):
        return None
    return " "


@cache
def _hearts(name: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """The pattern and the words of "I <3" before a word."""
    table = {short: words for short, words in loader.find(name).marks.chat.items() if "<3" in short}
    start = r"(?<!\w)" if loader.find(name).has_spaces else "(?<![A-Za-z0-9])"
    return re.compile(rf"{start}(?i:{any_of(table)})(?= ?\w)" if table else "(?!)"), table


@cache
def _chat(name: str) -> tuple[re.Pattern[str], dict[str, str]]:
    table = {short: words for short, words in loader.find(name).marks.chat.items() if "<3" not in short}
    if not table:
        return re.compile("(?!)"), {}
    end = r"(?![\w/=]|[.'’-]\w)" if loader.find(name).has_spaces else r"(?![A-Za-z0-9/])"
    start = r"(?<![\w/.=@#$'’+*^-])(?<![0-9] )" if loader.find(name).has_spaces else r"(?<![A-Za-z0-9/.=@#第])"
    forms = sorted({form for short in table for form in _forms(short)})
    return re.compile(start + any_of(forms) + end), table


def _forms(short: str) -> set[str]:
    """A short form in small letters and at the start of a sentence; in capitals too, if a sign shows that it is one."""
    is_sign = re.search("[/0-9;]", short) is not None
    # Not Ur, Ty or Pr, which are names and titles.
    capital = {short[:1].upper() + short[1:]} if is_sign or len(short) > 2 else set()
    return {short, *capital} | ({short.upper()} if is_sign else set())


def _write_out(match: re.Match[str], table: dict[str, str]) -> str | None:
    short = match[0]
    words = table[short.lower()]
    following = match.string[match.end() : match.end() + 2].lstrip()
    if following[:1] in {"=", "+", "*"} or _NUMBER_AFTER.match(match.string, match.end()):
        return None
    return words[:1].upper() + words[1:] if short[0].isupper() and len(short) > 1 else words
