"""A document as its owner sees it."""

import msgspec

from app.core.documents.document import Document


class ChapterObject(msgspec.Struct, frozen=True, kw_only=True):
    """A chapter of a document, without its text."""

    index: int
    title: str
    n_characters: int
    preview: str
    is_matter: bool


class DocumentObject(msgspec.Struct, frozen=True, kw_only=True):
    """A document. Times are whole seconds since 1970."""

    id: str
    object: str = "audio.document"
    filename: str
    kind: str
    title: str | None
    author: str | None
    language: str | None
    has_cover: bool
    n_characters: int
    created_at: int
    expires_at: int
    """When the document is deleted."""
    chapters: list[ChapterObject]


class ChapterText(msgspec.Struct, frozen=True, kw_only=True):
    """A chapter of a document with its text."""

    index: int
    title: str
    text: str


def show_document(document: Document) -> DocumentObject:
    """The document without what only the server needs."""
    upload, content = document.upload, document.content
    return DocumentObject(
        id=upload.id,
        filename=upload.filename,
        kind=content.kind,
        title=content.title,
        author=content.author,
        language=content.language,
        has_cover=content.cover is not None,
        n_characters=sum(chapter.n_characters for chapter in content.chapters),
        created_at=upload.created_at,
        expires_at=upload.expires_at,
        chapters=[
            ChapterObject(
                index=index,
                title=chapter.title,
                n_characters=chapter.n_characters,
                preview=chapter.preview,
                is_matter=chapter.is_matter,
            )
            for index, chapter in enumerate(content.chapters)
        ],
    )
