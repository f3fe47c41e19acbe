"""Removes the marks of notes and sources that encyclopedias, books and assistants write: [3], [a], [note 1], [citation needed],
a small ² after a word, the 12 of "dead.12 His", 【4:0†source】.

Why the text before a mark decides: arr[0], m² and x² look the same and are said.
"""

import re
from functools import cache
from typing import Final

from workers.text.locales import loader
from workers.text.normalization.markup.line_ends import short_forms
from workers.text.normalization.rules import Rule, any_of, apply
from workers.text.tracked_text import TrackedText

_N: Final = r"[1-9१-९１-９][0-9०-९０-９]{0,2}"
_JOINT: Final = r" ?[,，、;–—-] ?"
_NUMBERS: Final = rf"{_N}(?:{_JOINT}{_N}){{0,12}}"
_LETTER: Final = r"(?:[a-zα-ωक-ह]{1,2}|[A-Z]|[ivx]{1,4}|[*†‡§¶#]{1,3})"
_OPEN, _CLOSE = "[\\[［]", "[\\]］]"
_PAGES: Final = r"(?::[ \u00a0]?[0-9]{1,4}(?:[–-][0-9]{1,4})?(?![0-9:]))?"
"""Pages after a mark: [3]:12."""

_INLINE_CODE: Final = r"(?P<code>(?<!`)`[^`\n]{1,300}+`)"
_CODE_NAMES: Final = (
    "arr|array|args?|argv|params?|buf|buffer|data|dict|dp|els?|grid|idx|items|lst|map|mat|matrix|nums?|obj|out|ptr|result|row|"
    "str|tmp|tokens|vals?|values|vec|xs|ys"
)
_IS_CODE: Final = re.compile(
    rf"(?:(?:\A|[^\w'’]|[\u3040-\u9fff])(?:{_CODE_NAMES}|(?!aI)[b-hj-zB-HJ-Z])|[a-z0-9]_\w{{0,40}}|_\w{{0,40}}|\w[.]\w{{1,40}}"
    rf"|[a-z][A-Z]\w{{0,40}}|\w\((?:[^()\n]{{0,40}})\))\Z"
)
"""The text before a bracket is code, and the bracket an index."""
_AFTER_CODE: Final = re.compile(r"\s?(?:[-+*/]?=(?!=)|[-+*/%]\s?[\w(]|\.[a-z]|\()")
_BEFORE: Final = r"\w.,;:!?…\"'’”»)\]}%°²³*。！？、，：；」』）】।॥ー々〉》\u0900-\u0963\U00100000-\U0010fffd"
"""Characters before a mark. The last ones stand for formulas."""

_SOURCE: Final = Rule(
    # 【4:0†source】, [1†L3-L5], :contentReference[oaicite:0]{index=0}, [@smith2020]
    re.compile(
        r"(?<![ \u00a0])[ \u00a0]?[\[【［][0-9]{1,3}(?::[0-9]{1,3})?†[^\[\]【】\n]{0,100}+[\]】］]"
        r"|[ \u00a0]?:contentReference\[[^\[\]\n]{0,60}+\](?:\{[^{}\n]{0,60}+\})?+"
        r"|[\ue200\ue203][^\ue201\n]{0,200}+\ue201"
        r"|(?<![ \u00a0])[ \u00a0]?\[-?@[\w:.#$%&+?<>~/-][^\[\]\n]{0,200}+\]"
    ),
    "",
    needs_digit=False,
)
_REF: Final = Rule(
    re.compile(r"<ref\b[^<>]{0,300}+(?:(?<=/)>|>(?:[^<]++|<(?!/?ref\b)){0,60}+</ref>)", re.IGNORECASE), "", needs_digit=False
)
_DEFINITION: Final = re.compile(
    r"(?m)^[ \t]{0,3}+\[(?P<name>[^\[\]\n^][^\[\]\n]{0,100}+)\]:[ \t]++<?(?:https?://|www\.|mailto:|[./#])[^\n]{0,2000}+$"
)
"""[1]: https://example.com "Title\""""
_NAMED_LINK: Final = re.compile(r"\[(?P<text>[^\[\]\n]{1,300}+)\] ?\[(?P<name>[^\[\]\n]{0,100}+)\]")
_SUPERSCRIPTS: Final = "⁰¹²³⁴-⁹"
_RAISED: Final = rf"[{_SUPERSCRIPTS}]++(?:[,˒⁻–-][{_SUPERSCRIPTS}]++){{0,9}}+(?![A-Za-z0-9À-ϿЀ-ӿ⁺⁻⁼⁽{_SUPERSCRIPTS}])"
_RAISED_NOTE: Final = re.compile(rf"(?=[{_SUPERSCRIPTS}])(?<![{_SUPERSCRIPTS}⁺⁻])(?<=[^\s]){_RAISED}")
_RAISED_CONTEXT: Final = 24
_HTML_RAISED: Final = re.compile(
    rf"<sup\b[^<>]{{0,300}}+>\s*+(?:<a\b[^<>]{{0,500}}+>)?+\s*+"
    rf"(?P<mark>\[?(?:{_N}(?:[,–-]{_N}){{0,5}}|[a-z*†‡])\]?)\s*+(?:</a>)?+\s*+</sup>",
    re.IGNORECASE,
)
_BARE: Final = re.compile(
    rf"(?P<end>[.!?][\"”’»)]?|[,;][\"”’»]?)(?P<n>{_N}(?:[,–-]{_N}){{0,5}})"
    r"(?=[ \u00a0]++(?P<capital>[\"“‘«(]?[^\W\d_a-zà-ÿ])|[ \u00a0]++(?P<small>[a-zà-ÿ]{2,12})\b|\s*\Z|\n)"
)
_AFTER_QUOTE: Final = Rule(
    re.compile(rf"(?:(?<=[^\W\d_][»”])|(?<=[^\W\d_][ \u00a0\u202f]»))(?P<n>{_N})(?=[ \u00a0,;:.]|\Z)"), ""
)
"""The number of a note after a quotation in the middle of a sentence: «…»1, he said."""
_WORD_BEFORE: Final = re.compile(r"(?:\A|[\s(\"“‘'«—–-])(?P<word>[^\W\d_]{3,30})[\"”’)]?\Z")
_DAGGER: Final = Rule(re.compile(r"(?<=[^\W\d_][^\W\d_])[†‡]{1,3}+(?!\w)"), "", needs_digit=False)


_CARET: Final = Rule(re.compile(r"(?:(?<=[a-z]{2})|(?<=[.,;!?\"')]))\^(?=\[[0-9]{1,3}\])"), "", needs_digit=False)
"""The sign that marks a note before its brackets: ^[3]."""


def strip_notes(tracked: TrackedText, language: str) -> TrackedText:
    """Removes the marks of notes and sources from a text in `language` (BCP 47 tag). Needs the lines as they were written."""
    if not _MAY_HAVE_NOTES.search(tracked.text):
        return tracked
    if _HAS_BRACKET.search(tracked.text):
        tracked = _strip_definitions(apply(tracked, (_SOURCE, _REF, _CARET)))
        tracked = tracked.sub(_HTML_RAISED, _drop_html_raised)
        tracked = tracked.sub(_bracket(language.partition("-")[0].lower()), _drop_bracket)
    return apply(tracked.sub(_RAISED_NOTE, _drop_raised), (_DAGGER, Rule(_BARE, _drop_bare), _AFTER_QUOTE))


def _strip_definitions(tracked: TrackedText) -> TrackedText:
    """Removes the addresses of links that stand apart from them, and the names of these in the links: [Koe][1]."""
    names = {match["name"].lower() for match in _DEFINITION.finditer(tracked.text)}
    if not names:
        return tracked

    def shorten(match: re.Match[str]) -> str | None:
        return match["text"] if (match["name"] or match["text"]).lower() in names else None

    return tracked.sub(_DEFINITION, "").sub(_NAMED_LINK, shorten)


_HAS_BRACKET: Final = re.compile("[\\[［【<\ue200\ue203]|:contentReference")
_MAY_HAVE_NOTES: Final = re.compile(rf"[\[［【†‡<{_SUPERSCRIPTS}]|[.!?,;\"”’»)][0-9]|\ue200|\ue203|:contentReference")


@cache
def _bracket(language: str) -> re.Pattern[str]:
    """The pattern of a mark in square brackets, or of inline code, which has none."""
    marks = [locale.marks for locale in loader.all_locales()]
    words = any_of({word for one in marks for word in one.notes})
    labels = any_of({word for one in marks for word in one.note_labels})
    before = any_of(loader.find(language).marks.before_bracket) if loader.find(language).marks.before_bracket else "(?!)"
    said = rf"(?<!\w){before}[ \u00a0]" if loader.find(language).has_spaces else rf"{before}[ \u00a0]?"
    numbered = rf"(?:{labels}[.:]?[ \u00a0]?)?{_NUMBERS}|{labels}[ \u00a0]?[a-z0-9]{{0,2}}"
    return re.compile(
        rf"{_INLINE_CODE}"
        rf"|(?P<link>(?<=[{_BEFORE}])[ \u00a0]?\[\[?{_NUMBERS}\]?\]\((?:https?://|#)[^()\s]{{1,2000}}+\))"
        rf"|(?P<said>{said}{_OPEN}{_NUMBERS}{_CLOSE})"
        rf"|(?P<marked>(?<=[{_BEFORE}])[ \u00a0]?{_OPEN}(?i:{words}){_CLOSE})"
        rf"|(?P<n>(?<=[{_BEFORE}])(?P<space>[ \u00a0]?)(?:{_OPEN}|(?P<wide>【))(?:{numbered}|(?P<letter>{_LETTER}))"
        rf"(?(wide)】|{_CLOSE})(?!\([a-z/#]){_PAGES}(?:[,;–—-] ?{_OPEN}{_NUMBERS}{_CLOSE}){{0,9}})"
    )


def _drop_bracket(match: re.Match[str]) -> str | None:
    if match["code"] or match["said"]:
        return None
    start, end = match.span()
    text = match.string
    if match["n"]:
        before = text[max(0, start - 60) : start]
        following = text[end : end + 4]
        # 【A】 and 【参考】 are headings or parts of a list.
        is_index = match["letter"] and (match["space"] or _is_index(match["letter"], before))
        if is_index or (match["wide"] and not any(map(str.isdigit, match["n"]))):
            return None
        if following[:1].isalnum() and following[:1].isascii() and (match["letter"] or before[-1].isalnum()):
            return None
        if not match["space"] and (_IS_CODE.search(before) or (before[-1].isascii() and _AFTER_CODE.match(following))):
            return None
        if match["space"] and _is_item(text, start):
            return None
    return _gap(text, start, end)


def _is_index(letter: str, before: str) -> bool:
    """Whether a letter in brackets counts the elements of a variable: names[i]."""
    word = re.search(r"[A-Za-z]+\Z", before)
    return letter in {"i", "j", "k", "n", "x", "y"} and word is not None and word[0].islower()


def _is_item(text: str, start: int) -> bool:
    """Whether the mark stands at the beginning of its line, where it is the number of an entry."""
    return not text[max(0, start - 1) : start].strip()


def _gap(text: str, start: int, end: int) -> str:
    """A space, if the text before and after a removed mark would become one word."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return " " if after.isalpha() and after.isascii() and (before in ".!?,;:\"')" or before.isalpha()) else ""


def _drop_raised(match: re.Match[str]) -> str | None:
    """Removes small raised numbers after a mark or after a word that is no unit and no function."""
    before = match.string[max(0, match.start() - _RAISED_CONTEXT) : match.start()]
    if before[-1] in "*_":
        before = before.rstrip("*_") or " "
    last = before[-1]
    if last in ".,;:!?…\"'”’»。！？、，：；」』।":
        return ""
    if last in ")]）" or not (last.isalpha() or _is_vowel_sign(last)):
        return "" if re.search(r"(?<!\d)(?:1[5-9]|20)\d\d\Z", before) and match[0] != "²" else None
    word = re.search(r"[A-Za-zÀ-ɏ]+\Z" if last.isascii() else r"[^\W\d_][\w\u0900-\u097f]*\Z", before)
    if word is None:
        return None
    name = word[0]
    if last >= "\u3040":
        return None if name[-1:] in "米里尺寸分" or before.endswith(("メートル", "ｍ")) else ""
    if name.lower() in _powers() or len(name) < (3 if match[0] in {"²", "³"} else 2):
        return None
    is_word = last >= "\u0370" or name[1:].islower()
    is_math = before[: -len(name)][-1:] in {"/", "·", "*", "^", "√", "∂"} or before[: -len(name)].endswith((" = ", "√"))
    return "" if is_word and not is_math else None


def _is_vowel_sign(character: str) -> bool:
    """Whether the character is a vowel sign or another sign of Devanagari."""
    return "\u0900" <= character <= "\u0963"


@cache
def _powers() -> frozenset[str]:
    """Words before a power, in small letters: functions, and the units of all languages, short and long."""
    found = set(loader.everywhere().marks.powers)
    for locale in loader.all_locales():
        units = getattr(locale, "units", {})
        found |= {sign.lower() for sign in units}
        for name in units.values():
            long = (name.one, name.many) if hasattr(name, "one") else (name,)
            found |= {word.lower() for words in long for word in words.split()}
    return frozenset(found)


def _drop_html_raised(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - _RAISED_CONTEXT) : match.start()].rstrip("*_")
    if match["mark"].startswith("["):
        return ""
    if not before or before[-1] in ".,;:!?…\"'”’»。！？、，」』।":
        return "" if before else None
    word = re.search(r"[^\W\d_]+\Z", before)
    if word is None or len(word[0]) < 4 or word[0].lower() in _powers():
        return "" if match["mark"] in "*†‡" else None
    return "" if word[0][1:].islower() or word[0][0] > "\u3040" else None


def _drop_bare(match: re.Match[str]) -> str | None:
    """Removes the number of a note from "dead.12 His": a full stop with no space, and a new sentence after the number."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    found = _WORD_BEFORE.search(before)
    if found is None or not found["word"][1:].islower():
        return None
    word, is_comma = found["word"], match["end"][0] in ",;"
    if _is_abbreviation(word) or (word[0].isupper() and len(word) < 5):
        return None
    if is_comma and (match["small"] not in loader.english("en").marks.after_note or len(match["n"]) > 2):
        return None
    if not is_comma and match["small"] and len(match["end"]) == 1:
        return None
    return match["end"]


def _is_abbreviation(word: str) -> bool:
    return word.lower() in short_forms()
