"""Whole documents, and what is spoken of each: `LANGUAGE/NAME.txt` and `LANGUAGE/NAME.spoken.txt`.

`python -m tests.workers.text.documents` rewrites what is spoken. Why a line for each sentence: a reviewer then reads what a
listener hears, and a diff shows what a change does to a document.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from app.core.speech.boundaries import find_paragraphs, find_sentence_ends
from app.core.speech.spoken_text import SpokenText
from app.core.speech.voices import BlendPart
from workers.engines.tone import ToneEngine
from workers.synthesis.prepare import prepare_text

FOLDER: Final = Path(__file__).parent
_SPOKEN: Final = ".spoken.txt"


def find_documents() -> list[Path]:
    """Returns the documents of all languages."""
    return sorted(path for path in FOLDER.glob("*/*.txt") if not path.name.endswith(_SPOKEN))


def spoken_file(document: Path) -> Path:
    """Returns the file with what is spoken of `document`."""
    return document.with_name(document.stem + _SPOKEN)


def speak(document: Path) -> str:
    """Returns what is spoken of `document`: a sentence a line, a blank line between paragraphs, pauses in brackets."""
    return "\n".join(_lines(document.read_text(encoding="utf-8"), document.parent.name)) + "\n"


def _lines(text: str, language: str) -> Iterator[str]:
    spoken = SpokenText(text=text, engine="tone", voice=(BlendPart("tone", 1.0),), language=language)
    prepared = prepare_text(spoken, ToneEngine())
    joined = ""
    for passage in prepared.passages:
        joined += prepared.markup.restore(passage.tracked.text)
        if passage.ending is not None:
            joined += "\n\n" if passage.ending == "paragraph" else " "
        elif passage.pause_seconds is not None:
            joined += f"\n\n[{passage.pause_seconds:g} s]\n\n"
    for number, (start, end) in enumerate(find_paragraphs(joined)):
        if number:
            yield ""
        paragraph = joined[start:end]
        ends = [0, *find_sentence_ends(paragraph, 0, language), len(paragraph)]
        yield from (line for first, last in pairwise(ends) if (line := paragraph[first:last].strip()))
