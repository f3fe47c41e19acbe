"""Finds SSML and its tags in a text."""

import re
from collections.abc import Iterator
from typing import Final

from app.core.speech.tags import TAG
from workers.text.normalization.rules import any_of
from workers.text.normalization.tags.outside_code import find_outside, or_code

MAX_DEPTH: Final = 50
"""Elements within each other that are read; the tags of deeper ones are removed."""

_OPENING: Final = or_code(r"<speak(?=[\s/>])[^<>]{0,4000}+>")
_CLOSING: Final = re.compile(r"</speak\s*+>", re.IGNORECASE)
_ELEMENTS: Final = (
    "audio break desc emphasis lang lexicon lookup mark meta metadata p paragraph phoneme prosody s say-as sentence speak sub "
    "token voice w"
)
_VALUE: Final = "(?:\"[^\"<>]{0,1000}+\"|'[^'<>]{0,1000}+')"
_DIVIDING: Final = frozenset({"break", "p", "paragraph", "s", "sentence", "speak", "audio"})
HIDDEN: Final = "\u2060"
TOKEN: Final = re.compile(
    # A comment and a section of text; neither has another one within it.
    r"(?P<comment><!--(?:[^-<]++|-(?!->)|<(?!!--))*+-->)"
    r"|(?P<cdata><!\[CDATA\[(?P<text>(?:[^\]<]++|\](?!\]>)|<(?!!\[CDATA))*+)\]\]>)"
    rf"|(?P<tag>{TAG.pattern})"
    # The prolog, a broken tag, and a tag of SSML without its bracket.
    r"|<[?!][^<>]{0,4000}+>|</?[A-Za-z][^<>]{0,4000}+>"
    rf"|</?{any_of(_ELEMENTS.split())}(?![\w-])(?:\s++[\w:.-]{{1,60}}+={_VALUE})*+\s*+/?",
    re.IGNORECASE,
)
"""All that is no text within `speak`."""


def find_speak(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each `speak` element with its tags; one that is not closed ends with the text."""
    done = 0
    for opening in find_outside(_OPENING, text):
        if opening.start() < done:
            continue
        if opening[0].rstrip(">").endswith("/"):
            done = opening.end()
        else:
            closing = _CLOSING.search(text, opening.end())
            done = closing.end() if closing else len(text)
        yield opening.start(), done


def open_tags(text: str, place: int) -> list[tuple[int, str]]:
    """Returns the tags of the elements of SSML that are open at `place`, for a part of the text that begins there, and where
    each stands.
    """
    for start, end in find_speak(text):
        if start < place < end:
            open_elements: list[re.Match[str]] = []
            for token in TOKEN.finditer(text, start, place):
                if token["tag"]:
                    _follow(token, open_elements)
            return [(token.start(), token[0]) for token in open_elements]
    return []


def hide_tags(text: str) -> str:
    """Returns a text of the same length with spaces in place of the tags of its SSML.

    A tag within a word or next to its mark becomes HIDDEN instead: it does not divide the word.
    """
    if "<speak" not in text.lower():
        return text
    parts, done = [], 0
    for start, end in find_speak(text):
        parts.append(text[done:start])
        parts.append(TOKEN.sub(_hide, text[start:end]))
        done = end
    return "".join(parts) + text[done:]


def _hide(token: re.Match[str]) -> str:
    if token["cdata"]:
        return _spaced_cdata(token)
    is_glued = token.string[token.start() - 1 : token.start()].strip() and token.string[token.end() : token.end() + 1].strip()
    divides = not token["tag"] or name_of(token) in _DIVIDING
    return (HIDDEN if is_glued and not divides else " ") * len(token[0])


def _spaced_cdata(token: re.Match[str]) -> str:
    return " " * (token.start("text") - token.start()) + token["text"] + " " * (token.end() - token.end("text"))


def _follow(token: re.Match[str], open_elements: list[re.Match[str]]) -> None:
    """Opens or closes the element of a tag."""
    name = name_of(token)
    if token["end"]:
        for number in range(len(open_elements) - 1, -1, -1):
            if name_of(open_elements[number]) == name:
                del open_elements[number:]
                return
    elif not token["empty"] and len(open_elements) < MAX_DEPTH:
        open_elements.append(token)


def name_of(token: re.Match[str]) -> str:
    """Returns the name of a tag in small letters."""
    name: str = token["name"].lower()
    return name.removeprefix("ssml:")
