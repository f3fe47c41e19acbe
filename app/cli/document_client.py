"""An HTTP client for documents, for `koe jobs submit`: sends a file, and chooses from its chapters.

Why the document is deleted when its job exists: the job has a copy of all that it needs, and nobody else knows the document.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from app.cli.client import Server, ServerError
from app.core.request_limits import DOCUMENT_BODY_BYTES

DOCUMENTS: Final = "/v1/audio/documents"

READ_EXTENSIONS: Final = frozenset({".epub", ".docx", ".html", ".htm", ".xhtml", ".md", ".markdown", ".srt"})
"""Extensions of files that are not sent as they are: the server reads their text."""

_FORM_BYTES: Final = 4096
"""More than a form has beside its file."""
_RANGE: Final = re.compile(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?")


class ChapterNumbers(click.ParamType):  # type: ignore[type-arg]
    """Numbers of chapters, from 1, such as `1-3,5`. Becomes a list of indices, from 0."""

    name = "chapters"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """Raises click's BadParameter for anything else."""
        if isinstance(value, list):
            return value
        indices: set[int] = set()
        for piece in str(value).split(","):
            match = _RANGE.fullmatch(piece)
            first, last = (int(match[1]), int(match[2] or match[1])) if match is not None else (0, 0)
            if not 1 <= first <= last:
                self.fail(f"{value!r} does not name chapters. Write their numbers, such as 1-3,5.", param, ctx)
            indices.update(range(first - 1, last))
        return sorted(indices)


def is_read_by_server(file: str) -> bool:
    """Whether the file's text is read by the server, by its extension."""
    return file != "-" and Path(file).suffix.lower() in READ_EXTENSIONS


@contextmanager
def sent(server: Server, path: Path) -> Iterator[dict[str, Any]]:
    """Sends the file. Yields the document, and deletes it at the end. Raises ServerError."""
    if path.stat().st_size > DOCUMENT_BODY_BYTES - _FORM_BYTES:
        raise ServerError(
            f"{path} is larger than a server takes: {DOCUMENT_BODY_BYTES >> 20} MiB. Divide it into several files."
        )
    with path.open("rb") as file:
        document: dict[str, Any] = server.ask("POST", DOCUMENTS, files={"file": (path.name, file)})
    try:
        yield document
    finally:
        with suppress(ServerError):
            server.ask("DELETE", f"{DOCUMENTS}/{quote(document['id'], safe='')}")


def spoken_indices(document: dict[str, Any], chosen: Sequence[int] | None) -> list[int]:
    """The chapters that a job speaks: those chosen, or all that are no front or back matter. Raises ServerError for a chapter
    that the document does not have.
    """
    chapters = document["chapters"]
    if chosen is None:
        return [one["index"] for one in chapters if not one["is_matter"]] or [one["index"] for one in chapters]
    if beyond := [index + 1 for index in chosen if index >= len(chapters)]:
        raise ServerError(f"There is no chapter {beyond[0]}: the file has {len(chapters)}. --list shows them.")
    return [*chosen]


def rows_of(document: dict[str, Any], spoken: Sequence[int]) -> list[list[str]]:
    """A row for each chapter: its number, whether it is spoken, its length in characters, its title."""
    return [
        [str(one["index"] + 1), "yes" if one["index"] in spoken else "", f"{one['n_characters']:,}", one["title"]]
        for one in document["chapters"]
    ]
