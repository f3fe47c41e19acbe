"""Removes tags that are neither HTML nor SSML: their text is spoken.

Why a lone `<name>` is spoken: in "cd <folder>" and "List<String>" it is a word of the sentence. An element has a closing tag,
attributes or a slash.
"""

import re
from collections import defaultdict
from typing import Final

from app.core.speech.tags import TAG
from workers.text.normalization.markup.markup_removal import HTML_NAMES
from workers.text.normalization.tags.outside_code import find_outside, gap, or_code
from workers.text.tracked_text import TrackedText

_WORD: Final = '[^\\s<>,"=/]{1,40}+'
_SPACED: Final = rf"(?=[^\W\d_]){_WORD}(?:,? {_WORD}|,{_WORD}){{1,5}}+"
_TOKEN: Final = or_code(
    rf"(?P<tag>{TAG.pattern})|(?P<spaced><{_SPACED}>)"
    r"|(?P<address><(?:https?://|mailto:)[^\s<>]{1,2000}+>)"
    # The marks of chat templates, as <|im_start|>, and the prolog of a document.
    r"|(?P<mark><[|｜][\w▁ ./-]{1,60}+[|｜]>)|(?P<prolog><\?xml\b[^<>]{0,1000}+>|<!DOCTYPE\b[^<>]{0,1000}+>)"
)
_NAME: Final = re.compile(r"[A-Za-z][\w-]*+")
_TYPES: Final = re.compile(r"<[A-Z]\w*+(?:, ?[A-Z]\w*+)++>")


def drop_others(tracked: TrackedText) -> TrackedText:
    """Removes all tags but those of HTML, and the brackets of a lone `<name>`. Code stays."""
    if "<" not in tracked.text:
        return tracked
    text = tracked.text
    tokens = [token for token in find_outside(_TOKEN, text) if not _is_html(token)]
    paired = _find_paired(tokens)
    changes: list[tuple[int, int, str]] = []
    for number, token in enumerate(tokens):
        start, end = token.span()
        if token["spaced"] or token["address"]:
            if token["address"] or _is_phrase(text, token):
                changes += _bare(text, start, end)
        elif not token["tag"] or number in paired or token["end"] or token["empty"] or token["attributes"]:
            changes.append((start, end, gap(text, start, end)))
        elif not _is_comparison(text, token):
            changes += _bare(text, start, end)
    return tracked.replace(changes)


def _is_html(token: re.Match[str]) -> bool:
    name = _NAME.match(token["name"] or (token["spaced"] or "<")[1:])
    return name is not None and name[0].lower() in HTML_NAMES


def _find_paired(tokens: list[re.Match[str]]) -> set[int]:
    """Returns the numbers of the opening tags that have a closing one."""
    is_open: dict[str, list[int]] = defaultdict(list)
    paired: set[int] = set()
    for number, token in enumerate(tokens):
        if not token["tag"] or token["empty"]:
            continue
        name = token["name"].lower()
        if not token["end"]:
            is_open[name].append(number)
        elif is_open[name]:
            paired.add(is_open[name].pop())
    return paired


def _is_phrase(text: str, token: re.Match[str]) -> bool:
    """Whether brackets hold a name of several words, as <your name>, or types, as Map<String, User>, and are no comparison."""
    is_after_word = text[token.start() - 1 : token.start()].isalnum() and token.start() > 0
    if is_after_word:
        return _TYPES.fullmatch(token[0]) is not None
    return not text[token.end() : token.end() + 1].isalnum()


def _is_comparison(text: str, token: re.Match[str]) -> bool:
    """Whether a lone tag is the middle of two comparisons: a<b且b>c."""
    around = text[max(0, token.start() - 1) : token.start()] + text[token.end() : token.end() + 1]
    name = token["name"]
    return len(around) == 2 and around.isalnum() and around.isascii() and name[0].isascii() and not name.isascii()


def _bare(text: str, start: int, end: int) -> list[tuple[int, int, str]]:
    """Returns the changes that remove the brackets around a name."""
    before = " " if start and text[start - 1].isalnum() else ""
    after = " " if text[end : end + 1].isalnum() else ""
    return [(start, start + 1, before), (end - 1, end, after)]
