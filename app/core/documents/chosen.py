"""The chapters of a document that a job speaks, as one text.

Why everything is copied into the job: the document may expire while the job waits, and a job must not end for that.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.core.documents.document import Document
from app.core.documents.documents import read_chapters
from app.core.errors import InvalidValue
from app.core.jobs.files import Store
from app.core.jobs.job import TextChapter

_BETWEEN: Final = "\n\n"


class ChosenText(msgspec.Struct, frozen=True, kw_only=True):
    """The text of the chosen chapters."""

    document: Document
    text: str
    chapters: tuple[TextChapter, ...]


def chosen_indices(document: Document, wanted: Sequence[int] | None) -> list[int]:
    """The chapters to speak, in the order of the document: those wanted, or all that are neither front nor back matter.

    Raises InvalidValue for an index that the document does not have.
    """
    chapters = document.content.chapters
    if wanted is None:
        spoken = [index for index, chapter in enumerate(chapters) if not chapter.is_matter]
        return spoken or [*range(len(chapters))]
    for index in wanted:
        if index >= len(chapters):
            raise InvalidValue(
                f"Invalid 'chapters': the document has no chapter {index}. It has {len(chapters)}, and the first is 0.",
                param="chapters",
            )
    return sorted(wanted)


def n_characters_of(document: Document, indices: Sequence[int]) -> int:
    """The length of the text of these chapters, before it is read."""
    return sum(document.content.chapters[index].n_characters for index in indices) + len(_BETWEEN) * (len(indices) - 1)


def read_chosen(store: Store, document: Document, indices: list[int]) -> ChosenText:
    """The text of these chapters. Raises StoreFailed."""
    texts = read_chapters(store, document, indices)
    starts, place = [], 0
    for index, text in zip(indices, texts, strict=True):
        starts.append(TextChapter(place, document.content.chapters[index].title))
        place += len(text) + len(_BETWEEN)
    return ChosenText(document=document, text=_BETWEEN.join(texts), chapters=tuple(starts))
