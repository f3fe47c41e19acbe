"""Parses HTML and XHTML into a tree, without any network, entities or files.

Why XHTML is first read as XML: its authors checked it so, and HTML does not know that an element such as `<a id="p1"/>` is
closed. Files that are not well-formed are read as browsers read them.
"""

import html.entities
import re
from typing import Any, Final

from lxml import etree

from app.core.errors import DocumentUnreadable
from workers.documents.decoding import decode

_OPS: Final = "{http://www.idpf.org/2007/ops}type"
_PROLOG: Final = re.compile(r"\A\s*<\?xml\b[^>]{0,500}\?>")
_DOCTYPE: Final = re.compile(r"<!DOCTYPE\b[^\[>]{0,2000}(?:\[[^\]]{0,100000}\]\s{0,100})?>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_KEPT: Final = frozenset({"lt", "gt", "amp", "quot", "apos"})
_XHTML: Final = re.compile(r"<\?xml\b|http://www\.w3\.org/1999/xhtml")
_HEAD_CHARS: Final = 2000
_TOO_DEEP: Final = (
    "The file has more elements within one another than any text needs (2,048). Save it again with another program, or send "
    "the text itself."
)

Element = Any
"""An element of lxml, which has no types."""


def parse(data: bytes) -> Element:
    """The root element. Raises DocumentUnreadable for a file without any element, or one that is nested too deep."""
    text = decode(data, is_markup=True)
    if _XHTML.search(text[:_HEAD_CHARS]):
        try:
            return parse_xml(text)
        except etree.XMLSyntaxError:
            pass
    return _parse_html(text)


def parse_xml(text: str) -> Element:
    """The root element of XML. Declarations of entities are ignored, and those of HTML are known. Raises XMLSyntaxError."""
    text = _without_declarations(text)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(_ENTITY.sub(_character, text).encode(errors="replace"), parser)
    finally:
        _check_limits(parser)


def read_xml(data: bytes, name: str) -> Element:
    """The root element of a file that must be XML. A damaged one is read as far as possible.

    Raises DocumentUnreadable when nothing of it can be read.
    """
    text = decode(data, is_markup=True)
    try:
        return parse_xml(text)
    except etree.XMLSyntaxError:
        parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
        root = etree.fromstring(_without_declarations(text).encode(errors="replace"), parser)
    if root is None:
        raise DocumentUnreadable(f"The file is damaged: its {name} cannot be read. Download or save it again.")
    return root


def _parse_html(text: str) -> Element:
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(_without_declarations(text).encode(errors="replace") or b" ", parser)
    except etree.XMLSyntaxError:
        root = None
    _check_limits(parser)
    return root if root is not None else etree.Element("html")


def _without_declarations(text: str) -> str:
    """The text without its prolog and its DOCTYPE, which may define entities."""
    return _DOCTYPE.sub("", _PROLOG.sub("", text, count=1), count=1)


def _check_limits(parser: Any) -> None:
    """Raises MemoryError, or DocumentUnreadable for a file that is nested too deep: the tree then ends somewhere within it."""
    entries = list(parser.error_log)
    if any(entry.type_name == "ERR_NO_MEMORY" for entry in entries):
        raise MemoryError
    if any("depth" in entry.message.lower() for entry in entries):
        raise DocumentUnreadable(_TOO_DEEP)


def _character(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name in _KEPT else html.entities.html5.get(f"{name};", match[0])


def name_of(element: Element | None) -> str:
    """The name of an element in lower case, without its namespace; empty for none."""
    tag = element.tag if element is not None else None
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def types_of(element: Element) -> list[str]:
    """What a book calls the element: `epub:type`, and `role` without its `doc-`."""
    named = element.get(_OPS) or element.get("epub:type") or ""
    roles = (role.removeprefix("doc-") for role in (element.get("role") or "").split())
    return [*named.lower().split(), *roles]
