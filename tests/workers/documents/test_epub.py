"""EPUBs as programs really make them: Standard Ebooks, Project Gutenberg, Calibre, Pandoc, Google Docs, shops."""

import io
import re
from pathlib import Path

import pytest

from app.core.errors import DocumentProtected, DocumentUnreadable
from tests.books import PROSE, Epub, entry, nav_of, nav_point, novel, page, png, zipped
from workers.documents.book import Book
from workers.documents.epub.reader import read_epub
from workers.documents.kinds import read_book

FOOTER = "<div id='pg-footer'>License</div>"
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0000b080010002001011100ffd9")
"""The head of a JPEG of 32 x 16 points."""


def read(epub: Epub | bytes) -> Book:
    return read_epub(io.BytesIO(epub if isinstance(epub, bytes) else epub.make()))


def titles(epub: Epub) -> list[str]:
    """The titles; those of matter in brackets."""
    return [f"({chapter.title})" if chapter.is_matter else chapter.title for chapter in read(epub).chapters]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_a_book_of_standard_ebooks() -> None:
    book = read(novel())

    assert (book.title, book.author, book.language) == ("The Birch Canoe", "Ann Author", "en")
    assert titles(novel()) == ["(Titlepage)", "(Imprint)", "Preface", "Part I", "I", "II", "(Colophon)"]
    assert book.chapters[4].text == f"I.\n\nFirst. {PROSE}"
    assert book.cover is not None
    assert (book.cover.media_type, book.cover.data) == ("image/png", png())


def test_a_book_of_project_gutenberg_with_many_chapters_in_a_file_and_one_in_two_files() -> None:
    first = (
        f"<div id='pg-header'>The Project Gutenberg eBook of Emma</div><h1>EMMA</h1><p>by Jane Austen</p>"
        f"<h2 id='c1'>CHAPTER I.<br/>Intro</h2><p>{PROSE}<span class='pagenum'>[Pg 1]</span></p><p><a id='c2'></a></p>"
        f"<h2>CHAPTER II</h2><p>{PROSE}</p>"
    )
    second = f"<p>It goes on.</p><h2 id='c3'>CHAPTER III</h2><p>{PROSE}</p><div class='footnote'>[1] A note.</div>{FOOTER}"
    points = [("CHAPTER I. Intro", "a.html#c1"), ("CHAPTER II", "a.html#c2"), ("CHAPTER III", "b.html#c3")]
    ncx = nav_point("EMMA", "a.html", "".join(nav_point(*point) for point in points))
    book = Epub(title="EMMA", version="2.0", cover=png(), pages={"a.html": page(first), "b.html": page(second)}, ncx=ncx)

    assert titles(book) == ["(EMMA)", "CHAPTER I. Intro", "CHAPTER II", "CHAPTER III"]
    texts = [chapter.text for chapter in read(book).chapters]
    assert texts == [
        "EMMA\n\nby Jane Austen",
        f"CHAPTER I.\nIntro\n\n{PROSE}",
        f"CHAPTER II\n\n{PROSE}\n\nIt goes on.",
        f"CHAPTER III\n\n{PROSE}",
    ]
    assert read(book).cover is not None


def test_a_book_of_calibre_whose_chapters_are_split_and_not_listed() -> None:
    pages = {f"s_{n:03}.html": page((f"<h1>Chap {n}</h1>" if n % 2 == 0 else "") + f"<p>{PROSE}</p>") for n in range(6)}
    assert titles(Epub(version="2.0", pages=pages)) == ["Chap 0", "Chap 2", "Chap 4"]


def test_a_book_in_one_file_without_a_list_is_divided_at_its_headings() -> None:
    body = "".join(f"<p>Chapter {n}</p><p>{PROSE}</p>" for n in range(1, 4))
    assert titles(Epub(pages={"a.xhtml": page(body)})) == ["Chapter 1", "Chapter 2", "Chapter 3"]
    headed = body.replace("<p>Chapter 2</p>", "<h2>Two</h2>").replace("<p>Chapter 3</p>", "<h2>Three</h2>")
    assert titles(Epub(pages={"a.xhtml": page(headed)})) == ["The Birch Canoe", "Two", "Three"]


def test_a_book_of_pandoc_with_notes() -> None:
    body = (
        '<section id="one" class="level1"><h1>One</h1><p>Text.<a href="#fn1" class="footnote-ref" epub:type="noteref">1</a></p>'
        f"<p>{PROSE}</p></section><section class='footnotes' epub:type='footnotes'><hr/><ol><li id='fn1'><p>Note."
        '<a href="#fnref1" role="doc-backlink">↩︎</a></p></li></ol></section>'
    )
    pages = {
        "text/title_page.xhtml": page(
            '<body epub:type="frontmatter"><section epub:type="titlepage"><h1>T</h1></section></body>'
        )
    }
    pages |= {"text/ch1.xhtml": page(body), "text/ch2.xhtml": page(f"<h1>Two</h1><p>{PROSE}</p>")}
    book = Epub(pages=pages, nav=nav_of(entry("One", "text/ch1.xhtml#one") + entry("Two", "text/ch2.xhtml")), folder="EPUB")

    assert titles(book) == ["(T)", "One", "Two"]
    assert read(book).chapters[1].text == f"One\n\nText.\n\n{PROSE}"


def test_a_title_that_is_a_picture_is_said_and_one_that_is_text_is_not_said_twice() -> None:
    pages = {
        "c1.xhtml": page(f"<p><img src='x.png' alt='One'/></p><p>{PROSE}</p>"),
        "c2.xhtml": page(f"<p class='big'>The Second</p><p>{PROSE}</p>"),
    }
    book = Epub(pages=pages, nav=nav_of(entry("The First", "c1.xhtml") + entry("The Second", "c2.xhtml")))

    assert [chapter.text for chapter in read(book).chapters] == [f"The First\n\n{PROSE}", f"The Second\n\n{PROSE}"]


def test_parts_and_chapters_that_begin_at_one_place_are_one() -> None:
    nav = nav_of(entry("Part One", "a.xhtml", entry("Chapter 1", "a.xhtml") + entry("Chapter 2", "b.xhtml")))
    pages = {name: page(f"<h1>{name}</h1><p>{PROSE}</p>") for name in ("a.xhtml", "b.xhtml")}
    assert titles(Epub(pages=pages, nav=nav)) == ["Part One – Chapter 1", "Chapter 2"]


def test_sections_of_a_long_list_are_no_chapters() -> None:
    pages = {f"{n}.xhtml": page(f"<h1 id='a'>{n}</h1><h2 id='b'>{n}.1</h2><p>{PROSE}</p>") for n in range(30)}
    inner = "".join(entry(f"Section {n}", "0.xhtml#b") for n in range(200))
    nav = nav_of("".join(entry(f"Chapter {n}", f"{n}.xhtml", inner if n == 0 else "") for n in range(30)))
    assert titles(Epub(pages=pages, nav=nav)) == [f"Chapter {n}" for n in range(30)]


def test_landmarks_and_the_guide_tell_matter() -> None:
    pages = {name: page(f"<h2>{name}</h2><p>{PROSE}</p>") for name in ("a.xhtml", "b.xhtml", "c.xhtml")}
    entries = entry("Anything", "a.xhtml") + entry("Story", "b.xhtml") + entry("List", "c.xhtml")
    landmarks = (
        '<li><a epub:type="copyright-page" href="a.xhtml">x</a></li><li><a epub:type="bodymatter" href="b.xhtml">y</a></li>'
    )
    assert titles(Epub(pages=pages, nav=nav_of(entries, landmarks))) == ["(Anything)", "Story", "List"]
    ncx = nav_point("Anything", "a.xhtml") + nav_point("Story", "b.xhtml") + nav_point("List", "c.xhtml")
    guide = '<reference type="toc" title="Contents" href="c.xhtml"/>'
    assert titles(Epub(version="2.0", pages=pages, ncx=ncx, guide=guide)) == ["Anything", "Story", "(List)"]


@pytest.mark.parametrize(
    "title",
    [
        *("Copyright", "CONTENTS", "Índice", "Table des matières", "Sommario", "Sumário", "विषय सूची", "目次", "版权页"),
        *("Notes", "Index", "About the Author", "Title Page", "List of Illustrations", "奥付", "Ringraziamenti"),
    ],
)
def test_matter_is_known_by_its_title_in_each_language(title: str) -> None:
    pages = {"a.xhtml": page(f"<p>{PROSE}</p>"), "b.xhtml": page(f"<h2>Story</h2><p>{PROSE}</p>")}
    assert titles(Epub(pages=pages, nav=nav_of(entry(title, "a.xhtml") + entry("Story", "b.xhtml")))) == [f"({title})", "Story"]


@pytest.mark.parametrize(
    "title", ["Prologue", "Chapter 1", "Introduction", "Notes from Underground", "The Index of Love", "Epilogue"]
)
def test_a_chapter_is_no_matter(title: str) -> None:
    pages = {"a.xhtml": page(f"<p>{PROSE}</p>"), "b.xhtml": page(f"<h2>Story</h2><p>{PROSE}</p>")}
    assert titles(Epub(pages=pages, nav=nav_of(entry(title, "a.xhtml") + entry("Story", "b.xhtml"))))[0] == title


def test_paths_are_found_however_they_are_written() -> None:
    pages = {
        "Text/Kapitel 1 ü.xhtml": page(f"<h1>Eins</h1><p>{PROSE}</p>"),
        "Text/b.xhtml": page(f"<h1>Zwei</h1><p>{PROSE}</p>"),
    }
    nav = nav_of(entry("Eins", "text/Kapitel%201%20%C3%BC.xhtml") + entry("Zwei", "./Text/../Text/b.xhtml"))
    made = Epub(pages=pages, nav=nav).make()
    assert [chapter.title for chapter in read(made).chapters] == ["Eins", "Zwei"]
    assert [chapter.title for chapter in read(Epub(pages=pages, nav=nav, folder="").make()).chapters] == ["Eins", "Zwei"]


def test_pages_aside_are_matter_and_a_page_is_read_once() -> None:
    pages = {
        "a.xhtml": page(f"<h1>One</h1><p>{PROSE}</p>"),
        "b.xhtml": page(f"<p>{PROSE} Aside.</p>"),
        "c.xhtml": page(f"<p>{PROSE}</p>"),
    }
    order = ('"p0"', '"p2"', '"p1" linear="no"', '"p0"', '"none"')
    spine = "".join(f"<itemref idref={one}/>" for one in order)
    nav = nav_of(entry("One", "a.xhtml") + entry("Two", "c.xhtml"))
    assert titles(Epub(pages=pages, nav=nav, spine=spine)) == ["One", "Two", "(The Birch Canoe)"]


def test_authors_are_those_who_wrote() -> None:
    metadata = (
        '<dc:creator opf:role="aut">Bo Both</dc:creator><dc:creator opf:role="trl">Tea Translator</dc:creator>'
        '<dc:creator id="i">Ida Illustrator</dc:creator><meta refines="#i" property="role">ill</meta>'
    )
    assert read(novel(metadata=metadata)).author == "Ann Author, Bo Both"


@pytest.mark.parametrize("language", ["und", "", "not a tag at all", "x" * 50])
def test_a_language_that_is_none_is_left_out(language: str) -> None:
    assert read_book(io.BytesIO(novel(language=language).make()), "a.epub").language is None


def test_a_cover_is_found_on_its_page_and_must_be_a_picture_of_a_known_kind() -> None:
    pages = {"cover.xhtml": page('<svg xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="img/c.jpg"/></svg>')}
    pages |= {"a.xhtml": page(f"<h1>One</h1><p>{PROSE}</p>"), "b.xhtml": page(f"<h1>Two</h1><p>{PROSE}</p>")}
    guide = '<reference type="cover" href="cover.xhtml"/>'
    found = read(Epub(pages=pages, guide=guide, others={"OEBPS/img/c.jpg": JPEG})).cover
    assert found is not None
    assert (found.media_type, found.data) == ("image/jpeg", JPEG)
    for other in (b"GIF89a", b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"):
        assert read(Epub(pages=pages, guide=guide, others={"OEBPS/img/c.jpg": other})).cover is None


ENCRYPTION = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#">'
    '<enc:EncryptedData><enc:EncryptionMethod Algorithm="{}"/><enc:CipherData><enc:CipherReference URI="{}"/></enc:CipherData>'
    "</enc:EncryptedData></encryption>"
)


def test_a_book_with_protection_is_refused_with_its_name() -> None:
    listed = ENCRYPTION.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "OEBPS/text/chapter-1.xhtml")
    with pytest.raises(DocumentProtected, match="Adobe ADEPT"):
        read(novel(others={"META-INF/encryption.xml": listed, "META-INF/rights.xml": "<x/>"}))
    with pytest.raises(DocumentProtected, match="copying"):
        read(novel(others={"META-INF/encryption.xml": listed}))


@pytest.mark.parametrize("method", ["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"])
def test_fonts_that_are_disguised_protect_nothing(method: str) -> None:
    listed = ENCRYPTION.format(method, "OEBPS/fonts/a.otf")
    assert read(novel(others={"META-INF/encryption.xml": listed})).title == "The Birch Canoe"


@pytest.mark.parametrize(
    "data",
    [
        novel().make()[:-100],
        novel().make()[:1000],
        zipped({"mimetype": "application/epub+zip"}),
        zipped({"mimetype": "application/epub+zip", "META-INF/container.xml": "<container/>"}),
        zipped({"mimetype": "application/epub+zip", "a.opf": "no xml"}),
    ],
)
def test_an_epub_that_is_not_whole_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentUnreadable):
        read(data)


def test_all_words_of_all_pages_are_in_the_chapters_once_and_in_order() -> None:
    pages = {}
    for number in range(12):
        listed = "".join(f"<li>item {number} {n}</li>" for n in range(3))
        table = f"<table><tr><td>cell {number}</td><td>b</td></tr></table>"
        pages[f"{number}.xhtml"] = page(
            f"<p>Page {number}</p><h2 id='h'>Head {number}</h2><p>{PROSE}</p><ul>{listed}</ul>{table}tail"
        )
    expected = [word for text in pages.values() for word in words(re.sub("<[^>]*>", " ", text.partition("<body>")[2]))]
    some = nav_of("".join(entry(f"Head {n}", f"{n}.xhtml#h") for n in (3, 4, 8)))
    for nav in ("", some, nav_of("".join(entry(f"Page {n}", f"{n}.xhtml") for n in range(12)))):
        found = [word for chapter in read(Epub(pages=pages, nav=nav)).chapters for word in words(chapter.text)]
        assert found == expected


def test_a_book_on_the_disk_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    path.write_bytes(novel().make())
    with path.open("rb") as file:
        assert len(read_epub(file).chapters) == 7
