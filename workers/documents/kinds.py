"""Recognises the kind of a file, by its content and then by its name, and reads it.

Why the content comes first: names are changed, and a wrong one must not turn a book into noise.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import BinaryIO, Final

import msgspec

from app.core.documents.document import KINDS
from app.core.errors import DocumentEmpty, DocumentProtected, DocumentTooLarge, UnsupportedValue
from workers.documents import word
from workers.documents.archive import Archive
from workers.documents.book import MAX_CHAPTERS, MAX_NAME_CHARS, MAX_TEXT_CHARS, Book, BookChapter
from workers.documents.division import divide, tidy_title
from workers.documents.epub import package
from workers.documents.epub.reader import read_epub
from workers.documents.markup.parse import Element, name_of, parse
from workers.documents.markup.writer import write
from workers.documents.texts.markdown import read_markdown
from workers.documents.texts.plain import read_plain
from workers.documents.texts.subtitles import TIMES, read_subtitles

_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_OLE: Final = "EncryptedPackage".encode("utf-16-le")
_EPUB_TYPE: Final = b"application/epub+zip"
_OTHERS: Final = ((b"%PDF", "a PDF"), (b"{\\rtf", "an RTF"), (b"BOOKMOBI", "a Kindle book"), (_OLE, "an old Office file"))
"""First bytes of other files that hold text, and their names."""
_EXTENSIONS: Final = {
    "txt": "txt", "text": "txt", "md": "md", "markdown": "md", "mdown": "md", "html": "html", "htm": "html", "xhtml": "html",
    "xht": "html", "srt": "srt",
}  # fmt: skip
_MEDIA_TYPES: Final = {
    "text/markdown": "md", "text/x-markdown": "md", "text/html": "html", "application/xhtml+xml": "html",
    "application/x-subrip": "srt", "text/srt": "srt", "text/plain": "txt",
}  # fmt: skip
_HTML: Final = re.compile(
    rb"\s*(?:<\?xml\b[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL
)
_HEAD_BYTES: Final = 4096
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,3}")
_UNDETERMINED: Final = frozenset({"und", "zxx", "mul", "mis"})


def read_book(file: BinaryIO, filename: str, media_type: str = "") -> Book:
    """What is in the file. Raises UnsupportedValue for another kind of file, and the errors of documents."""
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    name = PurePath(filename.replace("\\", "/")).stem or filename or "document"
    if head.startswith((_ZIP, _EMPTY_ZIP)):
        book = _read_zip(file, filename, name)
    else:
        if head.startswith(_OLE) and _ENCRYPTED_OLE in file.read():
            raise DocumentProtected("The file is protected by a password.")
        file.seek(0)
        kind = _kind_of_text(head, filename, media_type)
        book = _READERS[kind](file.read(), name)
    return _checked(book)


def _read_zip(file: BinaryIO, filename: str, name: str) -> Book:
    archive = Archive(file)
    if (archive.read("mimetype") or b"").strip() == _EPUB_TYPE or archive.has(package.CONTAINER):
        return read_epub(file)
    if archive.has(word.MAIN) or (filename.lower().endswith(".docx") and archive.has("[Content_Types].xml")):
        return word.read_word(file, name)
    raise _unknown("a zip without a book in it")


def _kind_of_text(head: bytes, filename: str, media_type: str) -> str:
    for start, other in _OTHERS:
        if start in head[:80] if start == b"BOOKMOBI" else head.startswith(start):
            raise _unknown(other)
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    if extension in _EXTENSIONS:
        return _EXTENSIONS[extension]
    if _HTML.match(head):
        return "html"
    if TIMES.search(head[:200].decode("latin-1")):
        return "srt"
    if (kind := _MEDIA_TYPES.get(media_type.partition(";")[0].strip().lower())) is not None:
        return kind
    if not extension and b"\0" not in head:
        return "txt"
    raise _unknown(f"a file with the extension .{extension[:20]}" if extension else "a file without text")


def _unknown(what: str) -> UnsupportedValue:
    *kinds, last = KINDS
    return UnsupportedValue(
        f"Koe cannot read {what}. It reads files of these kinds: {', '.join(kinds)}, and {last}. Save or convert it as one "
        "of these.",
        param="file",
    )


def _read_html(data: bytes, name: str) -> Book:
    root = parse(data)
    named = {(one.get("name") or one.get("property") or "").lower(): one.get("content") or "" for one in root.iter("{*}meta")}
    title = next((text for one in root.iter("{*}title") if (text := "".join(one.itertext()).strip())), None)
    return Book(
        kind="html",
        title=title or named.get("og:title") or _only_heading(root),
        author=named.get("author") or named.get("dc.creator") or None,
        language=root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or root.get("xml:lang"),
        chapters=divide(write(root).blocks, title or name),
    )


def _only_heading(root: Element) -> str | None:
    tops = ["".join(one.itertext()) for one in root.iter() if name_of(one) == "h1"]
    return tops[0] if len(tops) == 1 else None


_READERS: Final[dict[str, Callable[[bytes, str], Book]]] = {
    "html": _read_html,
    "md": read_markdown,
    "srt": read_subtitles,
    "txt": read_plain,
}


def _checked(book: Book) -> Book:
    """The book with names in one line, and not more chapters than a text may have. Raises DocumentEmpty, DocumentTooLarge."""
    if sum(len(chapter.text) for chapter in book.chapters) > MAX_TEXT_CHARS:
        raise DocumentTooLarge(f"The file has more than {MAX_TEXT_CHARS:,} characters.")
    if not any(char.isalnum() for chapter in book.chapters for char in chapter.text):
        raise DocumentEmpty
    return msgspec.structs.replace(
        book,
        title=_name(book.title),
        author=_name(book.author),
        language=_tag(book.language),
        chapters=list(_limited(book.chapters)),
    )


def _limited(chapters: list[BookChapter]) -> Iterator[BookChapter]:
    """Yields the chapters. If there are too many, the last one has the text of all that follow it."""
    yield from chapters[: MAX_CHAPTERS - 1]
    if rest := chapters[MAX_CHAPTERS - 1 :]:
        yield msgspec.structs.replace(rest[0], text="\n\n".join(chapter.text for chapter in rest))


def _name(text: str | None) -> str | None:
    return tidy_title(text)[:MAX_NAME_CHARS] or None if text else None


def _tag(language: str | None) -> str | None:
    """A BCP 47 tag; None for anything else, and for a language that is not determined."""
    tag = (language or "").strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) and tag.lower() not in _UNDETERMINED else None
