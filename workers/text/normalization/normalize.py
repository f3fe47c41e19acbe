"""Normalizes a text before it is spoken: removes marks, and writes numbers, dates, units and addresses as words.

Why marks are removed before lines are folded: Markdown marks its lists and headings by lines. The rules of normalization come
after both and meet only single spaces.
"""

import re
import unicodedata
from typing import Final

import regex

from workers.text.normalization.emoji import drop_emoji, say_emoji
from workers.text.normalization.formulas.stand_ins import Formulas
from workers.text.normalization.markup.captions import strip_captions
from workers.text.normalization.markup.chat import read_emoticons, write_out_chat
from workers.text.normalization.markup.code_blocks import skip_code
from workers.text.normalization.markup.lines import end_lines, join_divided
from workers.text.normalization.markup.markup_removal import strip_blocks, strip_emphasis, unescape
from workers.text.normalization.markup.notes import strip_notes
from workers.text.normalization.markup.phonetics import strip_phonetics
from workers.text.normalization.markup.rights import name_rights
from workers.text.normalization.markup.tables import read_tables
from workers.text.normalization.tags.others import drop_others
from workers.text.normalization.tags.read import read_tags
from workers.text.normalization.verbalize import verbalize
from workers.text.tracked_text import TrackedText

_WIDE: Final = {
    wide: chr(wide - 0xFEE0) for wide in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
} | {0x966 + digit: str(digit) for digit in range(10)}
"""Full-width digits and Latin letters, and the digits of Devanagari → ASCII."""
_STRAIGHT: Final = str.maketrans(
    dict.fromkeys("’‘‛ʼ＇", "'") | dict.fromkeys("“”„‟＂", '"') | {"％": "%", "＄": "$", "＠": "@"}
) | {wide: ord(narrow) for wide, narrow in _WIDE.items()}
_INVISIBLE: Final = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\u20e3\ufeff]")
_REDUNDANT_JOINER: Final = re.compile("(?<![\u0600-\u0dff])[\u200c\u200d]")
"""Zero-width joiners without a meaning. In the scripts from Arabic to Sinhala they shape letters and are kept."""
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_NEW_LINE: Final = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028]")
_PARAGRAPH_SIGN: Final = re.compile("\u2029")
_LIGATURE: Final = re.compile("[\u2160-\u217f\u2460-\u2473\u3380-\u33df\ufb00-\ufb06]")
"""Roman numerals, numbers in circles, units and letters that are one character."""
_SQUARES: Final = frozenset("㎟㎠㎡㎢㎣㎤㎥㎦㎨")
_POWERS: Final = str.maketrans("23", "²³")
_COMPOSED: Final = regex.compile(r"[\U0001f1e6-\U0001f1ff]++|\X")
r"""A character with its marks, which are composed with it, or a run of flags. Flags have no marks, and `\X` would go back to
the beginning of the run to find the end of each flag.
"""
_STRAY_SPACE: Final = re.compile(r"(?<=[^\W\d_]) (?=[.,](?:\s|\Z))|(?<=\() ")
"""The space between the word for a sign and the mark before or after it: 3.11+. and (≈ 5)."""
_SPACES: Final = re.compile(r"[^\S ]\s*+| \s++")
"""Runs of white space, except a single space."""


def clean(tracked: TrackedText) -> TrackedText:
    """Removes control characters and lone surrogates: no user can mean them, not even one who wants no normalisation."""
    return tracked.sub(_NEW_LINE, "\n").sub(_UNPRINTABLE, " ").strip()


def normalize(
    text: str, language: str, *, says_emoji: bool = False, says_code: bool = False, has_tags: bool = True
) -> TrackedText:
    r"""Returns `text` as it is spoken in `language` (BCP 47 tag): in NFC, with straight quotes, without invisible characters,
    Markdown and HTML, with emoji dropped or named, and with numbers and short forms written as words.

    A single new line and any run of white space become one space; one or more blank lines become one paragraph break `\n\n`.
    Takes time linear in the text. `has_tags`: whether `read_tags` has not been called for the whole text.
    """
    tracked = clean(TrackedText.of(text))
    tracked = unescape(read_tags(tracked, language) if has_tags else tracked)
    tracked = drop_others(skip_code(tracked, language) if not says_code else tracked)
    formulas = Formulas(language)
    tracked = read_tables(strip_captions(formulas.take_out(tracked), language), language)
    tracked = read_emoticons(name_rights(tracked, language), language)
    named = say_emoji(tracked, language) if says_emoji else drop_emoji(tracked)
    plain = join_divided(_make_plain(named), language)
    plain = formulas.take_out_plain(strip_phonetics(plain, language))
    plain = strip_notes(plain, language)
    plain = write_out_chat(end_lines(strip_blocks(plain, language), language), language)
    spoken = formulas.put_back(strip_emphasis(verbalize(formulas.say_signs(_fold(plain)), language)))
    return _fold(spoken).sub(_STRAY_SPACE, "")


def _make_plain(tracked: TrackedText) -> TrackedText:
    """Removes invisible characters, and replaces typographic variants of others: ligatures, wide letters, curly quotes."""
    visible = tracked.sub(_INVISIBLE, "").sub(_REDUNDANT_JOINER, "")
    apart = visible.sub(_LIGATURE, _take_apart)
    return _compose(apart).translate(_STRAIGHT).sub(_PARAGRAPH_SIGN, "\n\n").strip()


def _take_apart(match: re.Match[str]) -> str:
    """Returns the characters that a ligature stands for; the powers of its units stay powers: ㎡ is m²."""
    plain = unicodedata.normalize("NFKC", match[0])
    return plain.translate(_POWERS) if match[0] in _SQUARES else plain


def _fold(tracked: TrackedText) -> TrackedText:
    """Replaces each run of white space by a space or a paragraph break."""
    return tracked.strip().sub(_SPACES, lambda match: "\n\n" if match[0].count("\n") > 1 else " ")


def _compose(tracked: TrackedText) -> TrackedText:
    """Returns the text in NFC."""
    if unicodedata.is_normalized("NFC", tracked.text):
        return tracked
    return tracked.sub(_COMPOSED, lambda match: unicodedata.normalize("NFC", match[0]))
