"""What of a page is not read aloud: navigation, scripts, page numbers, marks of notes and the notes themselves.

Why notes are recognised in four ways: EPUB 3 names them, Pandoc and Standard Ebooks give them roles, Project Gutenberg gives
them classes, and older books only link a raised number.
"""

import re
from typing import Final

from workers.documents.markup.parse import Element, name_of, types_of

_SILENT: Final = frozenset(
    [
        "script",
        "style",
        "template",
        "head",
        "nav",
        "noscript",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "canvas",
        "svg",
        "img",
        "picture",
        "map",
        "select",
        "button",
        "input",
        "textarea",
        "datalist",
        "param",
        "source",
        "track",
        "title",
        "link",
        "meta",
    ]
)
"""Elements that have no text to read."""

_UNREAD_TYPES: Final = frozenset(
    [
        "noteref",
        "backlink",
        "referrer",
        "pagebreak",
        "page-list",
        "pagelist",
        "footnote",
        "footnotes",
        "endnote",
        "endnotes",
        "rearnote",
        "rearnotes",
    ]
)
_UNREAD_CLASSES: Final = frozenset(
    [
        "pagenum",
        "pageno",
        "pagenumber",
        "page-number",
        "pagebreak",
        "fnanchor",
        "footnote",
        "footnotes",
        "footnote-ref",
        "footnote-back",
        "endnote",
        "endnotes",
        "noteref",
        "pg-boilerplate",
        "pgheader",
        "pgfooter",
        "pg-header",
        "pg-footer",
    ]
)
_UNREAD_IDS: Final = frozenset({"pg-header", "pg-footer"})
_KEPT: Final = frozenset({"html", "body"})
"""Elements that hold the whole page, whatever they are called."""
_HIDDEN: Final = re.compile(r"(?:^|[;\s])(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden)", re.IGNORECASE)
_NOTE_MARK: Final = re.compile(r"[\[({]?\s*(?:\d{1,4}|[*†‡§¶‖#]{1,4}|[a-z]|[ivxlc]{1,7})\s*[\])}.]?", re.IGNORECASE)
_RAISED: Final = frozenset({"sup", "small"})
_MAX_MARK_CHARS: Final = 12


def is_unread(element: Element) -> bool:
    """Whether the element and all that is in it are not read."""
    name = name_of(element)
    if name in _KEPT:
        return False
    return name in _SILENT or _is_hidden(element) or _is_named_unread(element) or _is_note_mark(element, name)


def _is_hidden(element: Element) -> bool:
    if element.get("hidden") is not None or (element.get("aria-hidden") or "").strip().lower() == "true":
        return True
    return _HIDDEN.search(element.get("style") or "") is not None


def _is_named_unread(element: Element) -> bool:
    classes = set((element.get("class") or "").lower().split())
    return (
        not _UNREAD_TYPES.isdisjoint(types_of(element))
        or not _UNREAD_CLASSES.isdisjoint(classes)
        or (element.get("id") or "") in _UNREAD_IDS
    )


def _is_note_mark(element: Element, name: str) -> bool:
    """Whether it is a raised mark that links to a note: `<a href="#n1"><sup>1</sup></a>`, `<sup><a href="#n1">1</a></sup>`."""
    if name not in ("a", "sup"):
        return False
    is_link = name == "a" and "#" in (element.get("href") or "")
    inner = next((child for child in element if name_of(child) in (_RAISED if is_link else ("a",))), None)
    if inner is None or (name == "sup" and "#" not in (inner.get("href") or "")):
        return False
    text = "".join(element.itertext()).strip()
    return len(text) <= _MAX_MARK_CHARS and _NOTE_MARK.fullmatch(text) is not None
