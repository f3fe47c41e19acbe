"""Drops emoji or says them by their names.

Why two sources of names: the package `emoji` has the names of Unicode's CLDR in fourteen languages, without Hindi. espeak-ng
has its own names in forty more. In those the emoji stays in the text, because the engine is espeak-ng or asks it for phonemes.

Why hearts get no commas between two words: in the sentence "I ❤️ you" the heart is the verb.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

import emoji
import regex

from app.core.errors import EngineUnavailable
from app.core.speech.characters import CLAUSE_ENDS, CLOSERS, ENDS_BEFORE_SPACE, SENTENCE_ENDS, in_class
from workers.text.espeak import library
from workers.text.locales import loader
from workers.text.normalization.rules import any_of
from workers.text.tracked_text import TrackedText

_BEGIN: Final = r"[\p{Extended_Pictographic}\p{Regional_Indicator}]"
_COLOURED: Final = r"\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0e\ufe0f]{0,3}+"
_ONE: Final = regex.compile(
    rf"\p{{Regional_Indicator}}{{2}}|{_COLOURED}[\U000e0020-\U000e007f]{{0,16}}+(?:\u200d{_COLOURED}){{0,9}}+"
    r"|\p{Regional_Indicator}"
)
"""A flag, or an emoji with its modifiers and the emoji that are joined to it."""
_RUN: Final = regex.compile(rf"(?:{_ONE.pattern})(?: {{0,3}}+(?:{_ONE.pattern}))*+")
_BEFORE: Final = regex.compile(rf"(?![\u200c\u200d\ufe0e\ufe0f])[\w\p{{M}})\"'»%](?P<space> {{0,3}}+)(?={_BEGIN})")
"""A character that a run of emoji may follow. Joiners and modifiers of emoji are excluded: Unicode counts them as marks."""
_CLOSE_MARKS: Final = in_class(SENTENCE_ENDS + CLAUSE_ENDS + "".join(mark for mark in CLOSERS if mark not in "\"'»"))
"""Marks that follow a word without a space, except marks that can also open a quotation."""
_ANY: Final = regex.compile(
    r" {0,3}+[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}]+(?:[\ufe0f\u200d\u20e3\U000e0020-\U000e007f]+"
    rf"[\p{{Extended_Pictographic}}\p{{Emoji_Modifier}}]*)*(?P<end>(?=[{_CLOSE_MARKS}]))?"
)
"""Emoji and flags, with their joiners and modifiers, and the space before them."""
_KEYCAP: Final = re.compile("([0-9#*])\ufe0f?\u20e3")
_TONE: Final = regex.compile(r"[\p{Emoji_Modifier}\ufe0e\ufe0f]")
_MODIFIER: Final = regex.compile(r"\p{Emoji_Modifier}")
_HEARTS: Final = frozenset("❤♥💙💚💛💜🧡🖤🤍🤎🩷🩵🩶💕💖💗💓💞💘💝")
_JOINER: Final = "\u200d"


def drop_emoji(tracked: TrackedText) -> TrackedText:
    """Drops all emoji, but keeps the digits of keycaps."""
    return _plain(tracked).sub(_ANY, lambda match: " " if match["end"] is None else "")


def say_emoji(tracked: TrackedText, language: str) -> TrackedText:
    """Replaces each emoji by its name in `language` (BCP 47), without its skin tone. A run of emoji has each name once. Emoji
    that have no name there are dropped. Takes time linear in the text.
    """

    def before(match: "regex.Match[str]") -> str | None:
        run = _RUN.match(match.string, match.end())
        if run is None or not _names(run[0], language) or not _parts(run)[0]:
            return None
        space = (match["space"] or " ") if spaced else ""
        return f"{match[0][0]}{comma}{space}"

    def name(run: "regex.Match[str]") -> str:
        names = _names(run[0], language)
        if not names:
            return " "
        joint = f"{comma} " if spaced else comma
        said = joint.join(names)
        head = run.string[max(0, run.start() - 4) : run.start()].rstrip(" ")
        if not head or head[-1] in ENDS_BEFORE_SPACE + "\n":
            said = said[0].upper() + said[1:]
        is_after, is_close = _parts(run)[1], run.string[run.end() : run.end() + 1].isalnum()
        opening = " " if spaced and head and run.string[run.start() - 1] not in " ,\n(" else ""
        return opening + said + comma * is_after + " " * (is_close and spaced)

    locale = loader.find(language)
    comma, spaced = locale.comma, locale.has_spaces
    return _plain(tracked).sub(_BEFORE, before).sub(_RUN, name).sub(_TONE, "")


def _plain(tracked: TrackedText) -> TrackedText:
    """Replaces each keycap by its digit, and drops keycaps without one."""

    def digit(match: re.Match[str]) -> str:
        return (match[1] if match[1].isdigit() else "") + " " * match.string[match.end() : match.end() + 1].isalnum()

    return tracked.sub(_KEYCAP, digit)


def _parts(run: "regex.Match[str]") -> tuple[bool, bool]:
    """Whether a comma separates a run from the text before it, and whether one separates it from the text after it."""
    text, start, end = run.string, run.start(), run.end()
    head, tail = text[max(0, start - 8) : start].rstrip(" "), text[end : end + 8].lstrip(" ")
    is_before = bool(head) and (_is_of_word(head[-1]) or head[-1] in ")\"'»%")
    is_after = bool(tail) and (_is_of_word(tail[0]) or tail[0] in "(\"'«¿¡$€£#@+-")
    if is_before and is_after and all(one[0] in _HEARTS for one in _ONE.findall(run[0])):
        return False, False
    before, after = _conjunctions()
    return is_before and not before.search(head), is_after and not after.match(tail)


@cache
def _conjunctions() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of a conjunction of any language: at the end of a text, at its beginning."""
    words = any_of({word for locale in loader.all_locales() for word in locale.conjunctions})
    return re.compile(rf"(?:^|\W){words}\Z"), re.compile(rf"{words}\b")


def _is_of_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def _names(run: str, language: str) -> list[str]:
    """The names of a run of emoji, each once."""
    return list(dict.fromkeys(filter(None, (_name(one, language) for one in _ONE.findall(run)))))


@lru_cache(maxsize=4096)
def _name(one: str, language: str) -> str:
    """The words that are said for an emoji; empty when it has no name."""
    plain = _TONE.sub("", one)
    tag = language.partition("-")[0].lower()
    if tag not in emoji.LANGUAGES:
        return plain if _is_named_by_espeak(plain, language) else ""
    known = _table(tag)
    if plain in known:
        flag = loader.find(tag).flag
        is_country = flag and (regex.fullmatch(r"\p{Regional_Indicator}{2}", plain) or "\U000e007f" in plain)
        return flag.format(known[plain]) if is_country else known[plain]
    parts = plain.split(_JOINER)
    return " ".join(filter(None, (known.get(part) for part in parts)))


@cache
def _table(tag: str) -> dict[str, str]:
    """Emoji without skin tones and variation selectors → name."""
    emoji.config.load_language(tag)
    locale = loader.find(tag)
    space = " " if locale.has_spaces else locale.comma
    table: dict[str, str] = {}
    for one, data in emoji.EMOJI_DATA.items():
        if tag in data and (len(one) == 1 or not _MODIFIER.search(one)):
            table.setdefault(_TONE.sub("", one), data[tag].strip(":").replace("_", space))
    return table


def _is_named_by_espeak(one: str, language: str) -> bool:
    try:
        voice = library.find_voice(language)
        return bool(voice and library.phonemes(one, voice))
    except EngineUnavailable:
        return False
