"""Says a Japanese word with its reading once: 憂鬱（ゆううつ）, 声《こえ》, ｜漢字《かんじ》.

Why the reading is said and not the word: writers give readings where a dictionary would not find them.

Why katakana: in hiragana, 母《はは》は would be taken for laughter. Only a word with an ending, such as 啜《すす》る, gets
hiragana.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from workers.text.normalization.rules import Rule

_HAN: Final = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff"
_HIRAGANA: Final = "ぁ-ゖー"
_KANA: Final = "ぁ-ヺー"
_WORD: Final = f"[{_HAN}][{_HAN}{_KANA}]{{0,19}}"
_PARTICLES: Final = frozenset("はがをにでともへのやかなだ")
_AFTER_NOUN: Final = frozenset({"さん", "くん", "ちゃん", "さま", "たち", "ほど", "まで", "より", "って", "こと"})
_NEXT: Final = f"(?:{'|'.join(sorted(_AFTER_NOUN))}|[{_HIRAGANA}]?)"
"""What follows a word: a word for the person or the place, or any hiragana."""
_MAX_MORAS: Final = 6
"""Most kana that one Han character has: 承 is うけたまわ."""
_ROWS: Final = {
    "ウ": "ウクスツヌフムユルグズヅブプゥュヴ",
    "エ": "エケセテネヘメレゲゼデベペェ",
    "オ": "オコソトノホモヨロヲゴゾドボポォョ",
}
_LONG: Final = re.compile(f"([{_ROWS['ウ']}{_ROWS['オ']}])ウ|([{_ROWS['エ']}])イ")


def rules() -> Iterator[Rule]:
    """The rules of Japanese for words with a reading."""
    # Notes of Aozora Bunko on how a text is printed.
    yield Rule(re.compile("［＃[^［］\n]{0,200}］"), "", needs_digit=False)
    yield Rule(
        re.compile(f"[|｜](?P<word>[^|｜《》\n]{{1,40}})《(?P<said>[{_KANA}・ \u3000]{{1,60}})》(?=(?P<next>{_NEXT}))"),
        lambda match: say_reading(match["said"], match["next"]),
        needs_digit=False,
    )
    # {漢字|かんじ}, [漢字]{かんじ}, [[rb:漢字 > かんじ]]
    for opening, middle, closing in ((r"\{", r"\|", r"\}"), (r"\[", r"\]\{", r"\}"), (r"\[\[rb: ?", " ?> ?", r"\]\]")):
        yield Rule(
            re.compile(
                rf"{opening}(?P<word>[^\n{{}}\[\]|>]{{1,40}}){middle}"
                rf"(?P<said>[{_KANA}・ \u3000|]{{1,60}}){closing}(?=(?P<next>{_NEXT}))"
            ),
            lambda match: say_reading(match["said"].replace("|", ""), match["next"]),
            needs_digit=False,
        )
    yield Rule(
        re.compile(f"(?P<word>[{_HAN}]{{1,20}}+)《(?P<said>[{_KANA}・ \u3000]{{1,60}})》(?=(?P<next>{_NEXT}))"),
        lambda match: say_reading(match["said"], match["next"]),
        needs_digit=False,
    )
    yield Rule(
        re.compile(
            rf"(?<![{_HAN}{_KANA}])(?P<word>[{_HAN}{_KANA}]{{1,60}}+)"
            rf"[（(](?P<said>[{_HIRAGANA}][{_HIRAGANA}・ \u3000]{{0,40}})"
            rf"(?:(?P<more>[、,，;；／/] ?)|[）)])(?=(?P<next>{_NEXT}))"
        ),
        _say_in_brackets,
        needs_digit=False,
    )


def _say_in_brackets(match: re.Match[str]) -> str | None:
    """Returns the text with the reading instead of the word; None if the brackets do not hold its reading."""
    text, said = match["word"], re.sub("[・ \u3000]", "", match["said"])
    start = _find_word(text, said)
    if start is None:
        return None
    opening = "（" if match["more"] else ""
    return text[:start] + say_reading(said, match["next"]) + opening


def _find_word(text: str, said: str) -> int | None:
    """Returns the start of the longest end of `text` that can be read as `said`."""
    for start in range(max(0, len(text) - 16), len(text)):
        is_start = start == 0 or not ("一" <= text[start - 1] <= "鿿" and "一" <= text[start] <= "鿿")
        if (_is_han(text[start]) or text[start] in "おご") and is_start and _can_be(text[start:], said):
            return start
    return None


def _can_be(word: str, said: str) -> bool:
    """Whether each run of Han characters of `word` has some kana of `said`, and its own kana are there too."""
    if not any(map(_is_han, word)) or (not _is_han(word[0]) and not said.startswith(word[0])):
        return False
    parts = "".join(
        f".{{{max(1, len(run) // 2)},{len(run) * _MAX_MORAS}}}" if _is_han(run[0]) else _to_hiragana(run)
        for run in re.findall(f"[{_HAN}]+|[^{_HAN}]+", word)
    )
    return re.fullmatch(parts, _to_hiragana(said)) is not None


def _is_han(character: str) -> bool:
    return re.match(f"[{_HAN}]", character) is not None


def _to_hiragana(text: str) -> str:
    return "".join(chr(ord(kana) - 0x60) if "ァ" <= kana <= "ヶ" else kana for kana in text)


def say_reading(said: str, following: str) -> str:
    """Returns the reading in the kana in which the words around it are told apart."""
    said = re.sub("[・ \u3000]", "", unicodedata.normalize("NFKC", said))
    if following and following not in _PARTICLES | _AFTER_NOUN:
        return said
    katakana = "".join(chr(ord(kana) + 0x60) if "ぁ" <= kana <= "ゖ" else kana for kana in said)
    return _LONG.sub(r"\1\2ー", katakana)
