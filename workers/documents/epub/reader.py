"""Reads an EPUB: its pages in order, divided into chapters where its table of contents says.

Why pages before the first entry are chapters of their own, and later ones are not: books list their chapters, but often not
their title page and copyright; and one chapter is often split into several files.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import BinaryIO, Final

import msgspec

from app.core.errors import DocumentTooLarge
from workers.documents.archive import Archive, resolve
from workers.documents.book import MAX_TEXT_CHARS, Block, Book, BookChapter, Picture, join_lines
from workers.documents.division import Start, cut, divide
from workers.documents.epub.navigation import Navigation, read_navigation
from workers.documents.epub.package import Item, Package, read_package
from workers.documents.markup.layout import Layout
from workers.documents.markup.parse import Element, name_of, parse, types_of
from workers.documents.markup.writer import write
from workers.documents.matter import has_prose, is_matter_title, is_matter_type
from workers.documents.pictures import read_picture

_MAX_HEADING_CHARS: Final = 80
_ENDS_SENTENCE: Final = re.compile(r"[.!?…。！？:;,]['\"”’»」』)]*\Z")
_N_FIRST_BLOCKS: Final = 3
_LINKS: Final = ("src", "href", "{http://www.w3.org/1999/xlink}href", "xlink:href")
_COVER_IDS: Final = frozenset({"cover", "cover-image", "coverimage", "cover-img"})


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page that is read."""

    item: Item
    place: int
    """Index of its first block in the whole book."""
    layout: Layout
    title: str
    """The title that the page itself has for browsers."""
    types: list[str]
    """What the book calls the page."""

    @property
    def heading(self) -> str:
        """Its first heading; empty without one."""
        return next((block.title for block in self.layout.blocks if block.level), "")


def read_epub(file: BinaryIO) -> Book:
    """The book. Raises DocumentUnreadable, DocumentTooLarge and DocumentProtected."""
    archive = Archive(file)
    package = read_package(archive)
    navigation = read_navigation(archive, package)
    pages = list(_read_pages(archive, package, navigation))
    blocks = [block for page in pages for block in page.layout.blocks]
    return Book(
        kind="epub",
        title=package.title,
        author=package.author,
        language=package.language,
        chapters=_chapters(pages, blocks, navigation, package.title or ""),
        cover=_find_cover(archive, package),
    )


def _read_pages(archive: Archive, package: Package, navigation: Navigation) -> Iterator[_Page]:
    place = n_chars = 0
    for item in package.pages:
        data = archive.read(item.path)
        if data is None:
            continue
        root = parse(data)
        layout = write(root)
        types = [*navigation.types.get((item.path, ""), ()), *_types_of_page(root)]
        yield _Page(item=item, place=place, layout=layout, title=_title_of_page(root), types=types)
        place += len(layout.blocks)
        n_chars += sum(len(block.text) for block in layout.blocks)
        if n_chars > MAX_TEXT_CHARS:
            raise DocumentTooLarge(f"The book has more than {MAX_TEXT_CHARS:,} characters.")


def _types_of_page(root: Element) -> list[str]:
    """What the page calls itself: in its body, or in the sections directly within it."""
    body = next((one for one in root if name_of(one) == "body"), None)
    if body is None:
        return []
    sections = [one for one in body if name_of(one) in ("section", "div", "article", "main", "nav")]
    return types_of(body) + [type_ for one in sections[:1] for type_ in types_of(one)]


def _title_of_page(root: Element) -> str:
    head = next((one for one in root if name_of(one) == "head"), None)
    title = next((one for one in head if name_of(one) == "title"), None) if head is not None else None
    return join_lines(["".join(title.itertext())]) if title is not None else ""


def _chapters(pages: Sequence[_Page], blocks: list[Block], navigation: Navigation, title: str) -> list[BookChapter]:
    starts = _listed(pages, navigation)
    if len(starts) < 2:
        starts = _headed(pages) | starts
    if len(starts) < 2 and len([page for page in pages if page.layout.blocks]) < 2:
        return divide(blocks, title)
    first = min(starts, default=len(blocks))
    for page in pages:
        if page.layout.blocks and page.place not in starts and (unlisted := _unlisted(page, first, title)) is not None:
            starts[page.place] = unlisted
    ordered = list(_with_title_pages(blocks, [starts[place] for place in sorted(starts)], title))
    return list(cut(*_with_titles(blocks, ordered)))


def _with_title_pages(blocks: Sequence[Block], starts: Sequence[Start], title: str) -> Iterator[Start]:
    """Yields the chapters; one that has the title of the book, and no prose, is its title page."""
    edges = [*(start.place for start in starts), len(blocks)]
    for start, (first, last) in zip(starts, pairwise(edges), strict=True):
        is_page = len(starts) > 1 and _letters(start.title) == _letters(title)
        is_matter = start.is_matter or (is_page and not has_prose(block.text for block in blocks[first:last]))
        yield msgspec.structs.replace(start, is_matter=is_matter)


def _headed(pages: Sequence[_Page]) -> dict[int, Start]:
    """The pages with a heading, by the index of their first block."""
    return {page.place: Start(page.place, page.heading, _is_matter(page.types, page.heading)) for page in pages if page.heading}


def _listed(pages: Sequence[_Page], navigation: Navigation) -> dict[int, Start]:
    """The chapters of the table of contents, by the index of their first block."""
    by_path = {page.item.path: page for page in pages}
    n_blocks = sum(len(page.layout.blocks) for page in pages)
    starts: dict[int, Start] = {}
    for entry in navigation.entries:
        page = by_path.get(entry.path)
        if page is None or not page.layout.blocks:
            continue
        place = page.place + page.layout.anchors.get(entry.fragment, 0)
        types = page.layout.types.get(entry.fragment, []) or (page.types if place == page.place else [])
        before = starts.get(place)
        if place >= n_blocks or (before is not None and before.title == entry.title):
            continue
        title = f"{before.title} – {entry.title}" if before is not None else entry.title
        starts[place] = Start(place, title, _is_matter(types, entry.title))
    return starts


def _unlisted(page: _Page, first: int, title: str) -> Start | None:
    """A page that the table of contents does not list, if it is no continuation of the page before it."""
    is_front, is_matter = page.place < first, is_matter_type(page.types)
    if not (is_front or is_matter or not page.item.is_linear):
        return None
    own_title = page.heading or (page.title if page.title != title else "") or title
    if is_matter is None:
        texts = (block.text for block in page.layout.blocks)
        is_matter = not page.item.is_linear or is_matter_title(own_title) or not has_prose(texts)
    return Start(page.place, own_title, is_matter)


def _is_matter(types: Sequence[str], title: str) -> bool:
    named = is_matter_type(types)
    return is_matter_title(title) if named is None else named


def _with_titles(blocks: Sequence[Block], starts: Sequence[Start]) -> tuple[list[Block], list[Start]]:
    """Adds the title to a chapter whose text does not begin with it: many books have it as a picture."""
    whole: list[Block] = []
    moved: list[Start] = []
    for number, start in enumerate(starts):
        end = starts[number + 1].place if number + 1 < len(starts) else len(blocks)
        own = blocks[start.place : end]
        moved.append(msgspec.structs.replace(start, place=len(whole)))
        if own and not start.is_matter and not _begins_with(own[:_N_FIRST_BLOCKS], start.title):
            whole.append(Block(start.title, 1))
        whole += own
    return whole, moved


def _begins_with(blocks: Sequence[Block], title: str) -> bool:
    """Whether the title or another heading stands at the beginning."""
    if any(block.level for block in blocks):
        return True
    if len(blocks[0].text) <= _MAX_HEADING_CHARS and not _ENDS_SENTENCE.search(blocks[0].text):
        return True
    return _letters(title) in _letters(" ".join(block.text[:300] for block in blocks))


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _find_cover(archive: Archive, package: Package) -> Picture | None:
    """The picture of the cover: as EPUB 3 names it, as EPUB 2 does, or the first one on the page of the cover."""
    for path in _covers(archive, package):
        data = archive.read(path)
        if data is not None and (picture := read_picture(data)) is not None:
            return picture
    return None


def _covers(archive: Archive, package: Package) -> Iterator[str]:
    if (item := package.find("cover-image")) is not None:
        yield item.path
    named = package.items.get(package.cover_id)
    for path in (named.path if named is not None else "", package.cover_id):
        if path:
            yield path
    pages = [
        path for type_, path, _ in package.guide if type_ in ("cover", "other.ms-coverimage-standard", "thumbimagestandard")
    ]
    pages += [item.path for item_id, item in package.items.items() if item_id.lower() in ("cover", "cover-image", "coverimage")]
    for path in dict.fromkeys(pages):
        yield path
        if path.lower().endswith((".xhtml", ".html", ".htm", ".xml")) and (data := archive.read(path)) is not None:
            yield from _pictures_of(parse(data), path)


def _pictures_of(root: Element, base: str) -> Iterator[str]:
    for one in root.iter():
        if name_of(one) in ("img", "image"):
            href = (
                one.get("src")
                or one.get("href")
                or one.get("{http://www.w3.org/1999/xlink}href")
                or one.get("xlink:href")
                or ""
            )
            if path := resolve(base, href):
                yield path
