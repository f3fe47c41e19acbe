"""A document: a file that a user has sent, and what was read of it."""

import secrets
from typing import Final

import msgspec

KINDS: Final = ("txt", "md", "html", "epub", "docx", "srt")
"""The kinds of files that are read."""

PREVIEW_CHARS: Final = 160


class DocumentChapter(msgspec.Struct, frozen=True, kw_only=True):
    """A chapter, and where its text is."""

    title: str
    n_characters: int
    preview: str
    """The beginning of its text after the title, in one line."""
    is_matter: bool
    """Whether it is front or back matter that few want to hear."""
    start: int
    """Index of its first byte in the file of the text."""
    n_bytes: int


class DocumentCover(msgspec.Struct, frozen=True):
    """The picture of the cover, which is next to the text."""

    media_type: str
    etag: str
    """The first 32 hex digits of the SHA-256 of its bytes."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a file."""

    kind: str
    """One of KINDS."""
    title: str | None
    author: str | None
    language: str | None
    """BCP 47 tag, as the file states it."""
    cover: DocumentCover | None
    chapters: tuple[DocumentChapter, ...]


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a user has sent and nobody has read yet."""

    id: str
    owner: str
    """Digest of the key of the request; `""` without keys."""
    filename: str
    media_type: str
    created_at: int
    """Seconds since 1970."""
    expires_at: int
    expires_ms: int
    """The same in milliseconds, which order an owner's documents."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document, as both sides know it."""

    upload: Upload
    content: Content

    @property
    def id(self) -> str:
        """`doc_` and 24 hex digits."""
        return self.upload.id


def new_document_id() -> str:
    """`doc_` and 24 hex digits."""
    return f"doc_{secrets.token_hex(12)}"


def source_path(document_id: str) -> str:
    """The file as it was sent, until it has been read."""
    return f"{document_id}/source"


def text_path(document_id: str) -> str:
    """The text of all chapters, one after the other, in UTF-8."""
    return f"{document_id}/text"
