"""The table of contents of an EPUB: titles and places, from version 3 or, if it has none, from version 2."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from workers.documents.archive import Archive, resolve
from workers.documents.epub.package import Item, Package
from workers.documents.markup.parse import Element, name_of, parse, read_xml, types_of

_MAX_ENTRIES: Final = 200
"""With more entries, the deepest levels are those of sections within chapters, and are left out."""


class Entry(msgspec.Struct, frozen=True):
    """An entry: a title, and the place that it links to."""

    title: str
    path: str
    fragment: str
    level: int = 1


class Navigation(msgspec.Struct, frozen=True):
    """What a book says about its parts."""

    entries: list[Entry]
    """The chapters, in the order of the table of contents."""
    types: dict[tuple[str, str], list[str]]
    """What the book calls a place: by path and fragment."""


def read_navigation(archive: Archive, package: Package) -> Navigation:
    """The table of contents; empty if the book has none."""
    types: dict[tuple[str, str], list[str]] = {}
    for type_, path, _ in package.guide:
        types.setdefault((path, ""), []).append(type_)
    entries: list[Entry] = []
    page = package.find("nav")
    if page is not None and (data := archive.read(page.path)) is not None:
        root = parse(data)
        entries = list(_entries_of_page(root, page.path))
        for link, kinds in _landmarks(root):
            types.setdefault(_place(page.path, link), []).extend(kinds)
    return Navigation(_limit_levels(entries or list(_entries_of_ncx(archive, package.ncx))), types)


def _entries_of_page(root: Element, base: str) -> Iterator[Entry]:
    """Yields the entries of a page with `nav` elements."""
    lists = [one for one in root.iter() if name_of(one) == "nav"]
    toc = next((one for one in lists if "toc" in types_of(one)), None)
    toc = toc if toc is not None else next((one for one in lists if not types_of(one)), None)
    for link in toc.iter("{*}a") if toc is not None else ():
        title, href = _text_of(link), link.get("href") or ""
        if title and href:
            level = sum(1 for one in link.iterancestors() if name_of(one) == "ol")
            yield Entry(title, *_place(base, href), level)


def _landmarks(root: Element) -> Iterator[tuple[str, list[str]]]:
    for one in root.iter():
        if name_of(one) == "nav" and "landmarks" in types_of(one):
            for link in one.iter("{*}a"):
                yield link.get("href") or "", types_of(link)


def _entries_of_ncx(archive: Archive, ncx: Item | None) -> Iterator[Entry]:
    data = archive.read(ncx.path) if ncx is not None else None
    if ncx is None or data is None:
        return
    for point in (one for one in read_xml(data, "table of contents").iter() if name_of(one) == "navpoint"):
        title = next((_text_of(one) for one in point if name_of(one) == "navlabel"), "")
        source = next((one.get("src") or "" for one in point if name_of(one) == "content"), "")
        if title and source:
            level = 1 + sum(1 for one in point.iterancestors() if name_of(one) == "navpoint")
            yield Entry(title, *_place(ncx.path, source), level)


def _place(base: str, href: str) -> tuple[str, str]:
    return resolve(base, href), href.partition("#")[2]


def _limit_levels(entries: list[Entry]) -> list[Entry]:
    """Leaves out the deepest levels while there are too many entries."""
    n_of_level = Counter(entry.level for entry in entries)
    levels = sorted(n_of_level)
    while len(levels) > 1 and sum(n_of_level[level] for level in levels) > _MAX_ENTRIES:
        levels.pop()
    return [entry for entry in entries if entry.level in levels]


def _text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())
