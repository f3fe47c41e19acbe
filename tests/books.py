"""Makes EPUBs and other zips for tests, as real programs make them and as they never would."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

CONTAINER: Final = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="{path}" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
XHTML: Final = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
    'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>{title}</title></head>{body}</html>'
)


def page(body: str, title: str = "") -> str:
    """A page of a book; `body` is its content, or the whole `<body>`."""
    return XHTML.format(title=title, body=body if body.startswith("<body") else f"<body>{body}</body>")


def png(width: int = 2, height: int = 3) -> bytes:
    """A picture that any program can read."""
    rows = zlib.compress((b"\0" + b"\x30\x60\x90" * width) * height)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    made = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


def zipped(entries: Mapping[str, str | bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these entries, in order."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return made.getvalue()


@dataclass
class Epub:
    """An EPUB with these pages, in this order. `make` returns its bytes."""

    pages: dict[str, str]
    """Path within the folder of the package → content."""
    title: str = "The Birch Canoe"
    authors: Sequence[str] = ("Ann Author",)
    language: str = "en"
    nav: str = ""
    """Content of the `nav` page of EPUB 3, if it has one."""
    ncx: str = ""
    """Content of the `navMap` of EPUB 2, if it has one."""
    cover: bytes = b""
    guide: str = ""
    metadata: str = ""
    """More metadata."""
    spine: str = ""
    """The spine, instead of all pages."""
    folder: str = "OEBPS"
    version: str = "3.0"
    others: dict[str, str | bytes] = field(default_factory=dict)
    """More entries of the zip."""

    def make(self) -> bytes:
        root = f"{self.folder}/" if self.folder else ""
        entries: dict[str, str | bytes] = {"mimetype": "application/epub+zip"}
        entries["META-INF/container.xml"] = CONTAINER.format(path=f"{root}content.opf")
        entries[f"{root}content.opf"] = self._package()
        entries |= {f"{root}{path}": text for path, text in self.pages.items()}
        if self.nav:
            entries[f"{root}nav.xhtml"] = page(self.nav, "Contents")
        if self.ncx:
            entries[f"{root}toc.ncx"] = (
                f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><navMap>{self.ncx}</navMap></ncx>'
            )
        if self.cover:
            entries[f"{root}images/cover.png"] = self.cover
        return zipped(entries | self.others)

    def _package(self) -> str:
        items = [
            f'<item id="p{number}" href="{path}" media-type="application/xhtml+xml"/>' for number, path in enumerate(self.pages)
        ]
        if self.nav:
            items.append('<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>')
        if self.ncx:
            items.append('<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>')
        if self.cover:
            prop = ' properties="cover-image"' if self.version == "3.0" else ""
            items.append(f'<item id="cover-picture" href="images/cover.png" media-type="image/png"{prop}/>')
        creators = "".join(f"<dc:creator>{author}</dc:creator>" for author in self.authors)
        spine = self.spine or "".join(f'<itemref idref="p{number}"/>' for number in range(len(self.pages)))
        meta = '<meta name="cover" content="cover-picture"/>' if self.cover and self.version == "2.0" else ""
        return (
            f'<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="{self.version}">'
            '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:opf="http://www.idpf.org/2007/opf">'
            f"<dc:title>{self.title}</dc:title>{creators}<dc:language>{self.language}</dc:language>{meta}{self.metadata}</metadata>"
            f'<manifest>{"".join(items)}</manifest><spine toc="ncx">{spine}</spine>'
            f"{f'<guide>{self.guide}</guide>' if self.guide else ''}</package>"
        )


def nav_of(entries: str, landmarks: str = "") -> str:
    """The content of a `nav` page: `entries` are `<li>`s."""
    more = f'<nav epub:type="landmarks" hidden=""><ol>{landmarks}</ol></nav>' if landmarks else ""
    return f'<nav epub:type="toc"><h1>Contents</h1><ol>{entries}</ol></nav>{more}'


def entry(title: str, href: str, inner: str = "") -> str:
    """An entry of a `nav` page, with those within it."""
    return f'<li><a href="{href}">{title}</a>{f"<ol>{inner}</ol>" if inner else ""}</li>'


def nav_point(title: str, src: str, inner: str = "") -> str:
    """An entry of EPUB 2."""
    return f'<navPoint><navLabel><text>{title}</text></navLabel><content src="{src}"/>{inner}</navPoint>'


PROSE: Final = (
    "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to tell the depth of a "
    "well. These days a chicken leg is a rare dish. Rice is often served in round bowls, and lemons make fine punch."
)


def novel(**fields: object) -> Epub:
    """A novel as Standard Ebooks makes it: title page, imprint, a part with chapters, endnotes, colophon."""
    section = '<body epub:type="{group}"><section id="{id}" epub:type="{type}">{content}</section></body>'

    def one(group: str, name: str, kind: str, content: str) -> str:
        return page(section.format(group=group, id=name, type=kind, content=content), title=name)

    note = '<a href="endnotes.xhtml#note-1" id="noteref-1" epub:type="noteref">1</a>'
    pages = {
        "text/titlepage.xhtml": one("frontmatter", "titlepage", "titlepage", "<h1>The Birch Canoe</h1><p>By Ann Author</p>"),
        "text/imprint.xhtml": one("frontmatter", "imprint", "imprint", f"<h2>Imprint</h2><p>{PROSE}</p>"),
        "text/preface.xhtml": one("frontmatter", "preface", "preface", f"<h2>Preface</h2><p>{PROSE}</p>"),
        "text/part-1.xhtml": one("bodymatter", "part-1", "part", "<h2>Part I</h2>"),
        "text/chapter-1.xhtml": one("bodymatter", "chapter-1", "chapter", f"<h3>I</h3><p>First.{note} {PROSE}</p>"),
        "text/chapter-2.xhtml": one("bodymatter", "chapter-2", "chapter", f"<h3>II</h3><p>Second. {PROSE}</p>"),
        "text/endnotes.xhtml": one(
            "backmatter",
            "endnotes",
            "endnotes",
            '<h2>Endnotes</h2><ol><li epub:type="endnote" id="note-1"><p>A note.</p></li></ol>',
        ),
        "text/colophon.xhtml": one("backmatter", "colophon", "colophon", f"<h2>Colophon</h2><p>{PROSE}</p>"),
    }
    chapters = entry("I", "text/chapter-1.xhtml") + entry("II", "text/chapter-2.xhtml")
    entries = "".join(
        [
            entry("Titlepage", "text/titlepage.xhtml"),
            entry("Imprint", "text/imprint.xhtml"),
            entry("Preface", "text/preface.xhtml"),
            entry("Part I", "text/part-1.xhtml", chapters),
            entry("Endnotes", "text/endnotes.xhtml"),
            entry("Colophon", "text/colophon.xhtml"),
        ]
    )
    made = {"pages": pages, "nav": nav_of(entries), "cover": png()}
    return Epub(**(made | fields))  # type: ignore[arg-type]
