"""The package of an EPUB: what the book is called, its files in reading order, its table of contents and its cover."""

from collections.abc import Iterator
from typing import Final

import msgspec

from app.core.errors import DocumentProtected, DocumentTooLarge, DocumentUnreadable
from workers.documents.archive import Archive, resolve
from workers.documents.markup.parse import Element, name_of, read_xml

CONTAINER: Final = "META-INF/container.xml"
_ENCRYPTION: Final = "META-INF/encryption.xml"
_FONTS: Final = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
"""Ways to disguise fonts, which protect no text."""
_RIGHTS: Final = {
    "META-INF/license.lcpl": "Readium LCP",
    "META-INF/sinf.xml": "Apple FairPlay",
    "META-INF/rights.xml": "Adobe ADEPT",
}
"""Files of the ways to protect books."""
_PAGES: Final = frozenset({"application/xhtml+xml", "text/html", "application/xml", "text/xml", "application/x-dtbook+xml", ""})
MAX_PAGES: Final = 5_000


class Item(msgspec.Struct, frozen=True):
    """A file of the book."""

    path: str
    media_type: str
    properties: frozenset[str]
    is_linear: bool = True


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """What the package says."""

    title: str | None
    author: str | None
    language: str | None
    items: dict[str, Item]
    """By id."""
    pages: list[Item]
    """In reading order, each once."""
    ncx: Item | None
    """The table of contents of EPUB 2."""
    guide: list[tuple[str, str, str]]
    """The important places of EPUB 2: type, path with fragment, title."""
    cover_id: str
    """Id or path of the cover, as EPUB 2 names it; empty if it does not."""

    def find(self, prop: str) -> Item | None:
        """The first file with this property."""
        return next((item for item in self.items.values() if prop in item.properties), None)


def read_package(archive: Archive) -> Package:
    """The package. Raises DocumentUnreadable for a file that is no EPUB, DocumentProtected for a book with protection."""
    path = _find_package(archive)
    data = archive.read(path) if path else None
    if data is None:
        raise DocumentUnreadable("The file is no complete EPUB: it has no package. Download or save it again.")
    root = read_xml(data, "package")
    items = {item_id: item for item_id, item in _items(root, path) if item.path}
    package = Package(
        title=_first_text(root, "title"),
        author=_authors(root),
        language=_first_text(root, "language"),
        items=items,
        pages=list(_pages(root, items)),
        ncx=_find_ncx(root, items),
        guide=[(type_, place, title) for type_, place, title in _guide(root, path) if place],
        cover_id=next((one.get("content") or "" for one in _all(root, "meta") if one.get("name") == "cover"), ""),
    )
    _check_protection(archive, {page.path for page in package.pages})
    return package


def _find_package(archive: Archive) -> str:
    container = archive.read(CONTAINER)
    if container is not None:
        for one in _all(read_xml(container, "container"), "rootfile"):
            if (path := resolve("", one.get("full-path") or "")) and archive.has(path):
                return path
    return next((name for name in archive.names if name.lower().endswith(".opf")), "")


def _check_protection(archive: Archive, paths: set[str]) -> None:
    data = archive.read(_ENCRYPTION)
    if data is None:
        return
    for one in _all(read_xml(data, "list of encrypted files"), "encrypteddata"):
        method = next((found.get("Algorithm") or "" for found in _all(one, "encryptionmethod")), "")
        if method in _FONTS:
            continue
        if any(resolve("", found.get("URI") or "") in paths for found in _all(one, "cipherreference")):
            how = next((name for path, name in _RIGHTS.items() if archive.has(path)), "")
            raise DocumentProtected(f"The book is protected against copying{f' ({how})' if how else ''}.")


def _items(root: Element, path: str) -> Iterator[tuple[str, Item]]:
    for one in _all(root, "item"):
        properties = frozenset((one.get("properties") or "").lower().split())
        yield one.get("id") or "", Item(resolve(path, one.get("href") or ""), (one.get("media-type") or "").lower(), properties)


def _pages(root: Element, items: dict[str, Item]) -> Iterator[Item]:
    seen: set[str] = set()
    for one in _all(root, "itemref"):
        item = items.get(one.get("idref") or "")
        if item is None or item.path in seen or item.media_type not in _PAGES:
            continue
        seen.add(item.path)
        if len(seen) > MAX_PAGES:
            raise DocumentTooLarge(f"The book has more than {MAX_PAGES} files of text.")
        yield msgspec.structs.replace(item, is_linear=(one.get("linear") or "").lower() != "no")


def _find_ncx(root: Element, items: dict[str, Item]) -> Item | None:
    named = next((one.get("toc") or "" for one in _all(root, "spine")), "")
    return items.get(named) or next((item for item in items.values() if "dtbncx" in item.media_type), None)


def _guide(root: Element, path: str) -> Iterator[tuple[str, str, str]]:
    for one in _all(root, "reference"):
        href = one.get("href") or ""
        yield (one.get("type") or "").lower(), resolve(path, href), one.get("title") or ""


def _first_text(root: Element, name: str) -> str | None:
    return next((text for one in _metadata(root, name) if (text := " ".join("".join(one.itertext()).split()))), None)


def _authors(root: Element) -> str | None:
    """The authors. Translators, illustrators and others have a role, in an attribute or in an element of their own."""
    roles = {
        (one.get("refines") or "").removeprefix("#"): (one.text or "").strip()
        for one in _all(root, "meta")
        if one.get("property") == "role"
    }
    named: dict[str, None] = {}
    for one in _metadata(root, "creator"):
        role = next((value for key, value in one.attrib.items() if key.endswith("role")), roles.get(one.get("id") or "", ""))
        name = " ".join("".join(one.itertext()).split())
        if name and role in ("", "aut"):
            named[name] = None
    return ", ".join(named) or None


def _metadata(root: Element, name: str) -> Iterator[Element]:
    """Yields the elements of the metadata: a page in the package may have a title too."""
    for metadata in _all(root, "metadata"):
        yield from _all(metadata, name)


def _all(root: Element, name: str) -> list[Element]:
    return [one for one in root.iter() if name_of(one) == name]
