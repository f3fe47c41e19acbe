"""Reads subtitles: the cues become sentences and paragraphs, without numbers, times and tags.

Why a pause begins a paragraph: subtitles know no other, and without any the whole film would be one.
"""

import re
from collections.abc import Iterator
from typing import Final

import pysubs2

from app.core.errors import DocumentUnreadable
from workers.documents.book import Block, Book
from workers.documents.decoding import decode
from workers.documents.division import divide
from workers.documents.tidy import tidy

TIMES: Final = re.compile(r"\d{1,3}:\d{2}:\d{2}[,.]\d{1,3}\s{0,9}-->\s{0,9}\d{1,3}:\d{2}:\d{2}[,.]\d{1,3}")
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]{0,100}>|\{\\[^{}]{0,100}\}")
_SPEAKER: Final = re.compile(r"^[-–—]\s{0,3}(?=\S)", re.MULTILINE)
_ENDED: Final = re.compile(r"[.!?…。！？♪][\"'”’»」』)\]♪]{0,3}\Z")
_PAUSE_MS: Final = 2_000
_MAX_PARAGRAPH_CHARS: Final = 600


def read_subtitles(data: bytes, name: str) -> Book:
    """The text that is spoken. Raises DocumentUnreadable for a file without times."""
    text = decode(data)
    if TIMES.search(text) is None:
        raise DocumentUnreadable("The file has no times of subtitles. If it is a text, give it the extension .txt.")
    cues = pysubs2.SSAFile.from_string(text, format_="srt")
    cues.sort()
    return Book(kind="srt", chapters=divide([Block(paragraph) for paragraph in _paragraphs(cues)], name))


def _paragraphs(cues: pysubs2.SSAFile) -> Iterator[str]:
    paragraph, before_ms = "", 0
    for cue in cues:
        for line in _lines_of(cue):
            has_ended = not paragraph or _ENDED.search(paragraph) is not None
            is_long = cue.start - before_ms > _PAUSE_MS or len(paragraph) > _MAX_PARAGRAPH_CHARS
            if paragraph and has_ended and is_long:
                yield paragraph
                paragraph = ""
            paragraph = _joined(paragraph, line)
            before_ms = cue.end
    if paragraph:
        yield paragraph


def _lines_of(cue: pysubs2.SSAEvent) -> list[str]:
    """What each speaker says in a cue, each in one line, with a full stop at its end if another follows."""
    text = tidy(_TAG.sub("", cue.plaintext))
    said = [" ".join(one.split()) for one in _SPEAKER.split(text)]
    return [one for one in said if one]


def _joined(paragraph: str, line: str) -> str:
    return f"{paragraph} {line}" if paragraph else line
