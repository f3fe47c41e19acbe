"""Word's files, as Word, Google Docs and python-docx write them."""

import io
import re
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from app.core.errors import DocumentEmpty, DocumentProtected, DocumentUnreadable
from tests.books import PROSE, zipped
from workers.documents.book import Book
from workers.documents.kinds import read_book
from workers.documents.word import read_word


def a_document(title: str = "") -> Any:
    document = docx.Document()
    document.core_properties.title, document.core_properties.author = title, "Ann Author"
    return document


def add_xml(document: Any, xml: str) -> None:
    """Adds an element to the end of the text."""
    spaces = f'{nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    spaces += ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    document.element.body.insert(-1, parse_xml(re.sub(r"^<([\w:]+)", rf"<\1 {spaces}", xml)))


def read(document: Any, name: str = "notes") -> Book:
    made = io.BytesIO()
    document.save(made)
    return read_word(made, name)


def paragraph(inner: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}{inner}</w:p>"


def run(text: str, properties: str = "") -> str:
    return f"<w:r>{f'<w:rPr>{properties}</w:rPr>' if properties else ''}<w:t xml:space='preserve'>{text}</w:t></w:r>"


def test_headings_divide_it_and_the_title_comes_before() -> None:
    document = a_document()
    document.add_heading("My Thesis", 0)
    for title in ("One", "Two"):
        document.add_heading(title, 1)
        document.add_paragraph(PROSE)
        document.add_heading("A detail", 2)
    book = read(document)

    assert (book.kind, book.title, book.author, book.language) == ("docx", "My Thesis", "Ann Author", "en-US")
    assert [(chapter.title, chapter.is_matter) for chapter in book.chapters] == [
        ("My Thesis", True),
        ("One", False),
        ("Two", False),
    ]
    assert book.chapters[1].text == f"One\n\n{PROSE}\n\nA detail"


def test_a_file_without_headings_is_one_chapter_with_the_name_of_the_file() -> None:
    document = a_document()
    document.add_paragraph("Just text.")
    assert [(chapter.title, chapter.text) for chapter in read(document).chapters] == [("notes", "Just text.")]
    assert read(document).title is None


def test_lists_have_an_item_a_line_and_tables_a_row_a_line() -> None:
    document = a_document()
    for text, style in (
        ("a", "List Bullet"),
        ("b", "List Bullet"),
        ("one", "List Number"),
        ("two", "List Number"),
        ("After", None),
    ):
        document.add_paragraph(text, style=style)
    table = document.add_table(2, 2)
    for place, text in enumerate(("h", "i|j", "k", "l\nm")):
        table.cell(place // 2, place % 2).text = text
    document.add_paragraph("End\nline")

    assert read(document).chapters[0].text == "- a\n- b\n1. one\n2. two\n\nAfter\n\n| h | i\\|j |\n| k | l m |\n\nEnd\nline"


def test_a_table_that_arranges_a_page_is_read_as_paragraphs() -> None:
    document = a_document()
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = PROSE * 3, "Aside."
    assert read(document).chapters[0].text == f"{PROSE * 3}\n\nAside."


RAISED = '<w:vertAlign w:val="superscript"/>'
DELETED = "<w:del><w:r><w:delText>GONE</w:delText></w:r></w:del>"
RUBY = f"<w:ruby><w:rubyPr/><w:rt>{run('かん')}</w:rt><w:rubyBase>{run('漢')}</w:rubyBase></w:ruby>"
BOX = f"<w:pict>{paragraph(run('box'))}</w:pict>"
CHOICE = f"<mc:AlternateContent><mc:Choice Requires='x'>{BOX}</mc:Choice><mc:Fallback>{BOX}</mc:Fallback></mc:AlternateContent>"
GALLERY = '<w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>'
CONTROL = f"<w:sdt><w:sdtContent>{run(' content')}</w:sdtContent></w:sdt>"
SYMBOLS = '<w:r><w:sym w:font="Symbol" w:char="00B5"/><w:sym w:font="Wingdings" w:char="F0E0"/></w:r>'


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (paragraph(run("kept ") + f"<w:ins>{run('added')}</w:ins>{DELETED}"), "kept added"),
        (paragraph(run("a") + run("HIDDEN", "<w:vanish/>") + run("b", '<w:vanish w:val="0"/>')), "ab"),
        (paragraph(run("x") + run("2", RAISED) + run("st", RAISED)), "x²st"),
        (paragraph(run("word") + '<w:r><w:footnoteReference w:id="1"/></w:r>' + run(" on")), "word on"),
        (paragraph("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:noBreakHyphen/><w:t>c</w:t><w:softHyphen/></w:r>"), "a b‑c"),
        (paragraph('<w:r><w:t>a</w:t><w:br/><w:t>b</w:t><w:br w:type="page"/><w:t>c</w:t></w:r>'), "a\nb\n\nc"),
        (paragraph("<w:r><w:instrText>PAGE</w:instrText></w:r>" + run("text")), "text"),
        (paragraph(f'<w:hyperlink w:anchor="x">{run("link")}</w:hyperlink>'), "link"),
        (paragraph(f"<w:smartTag>{run('smart')}</w:smartTag>{CONTROL}"), "smart content"),
        (paragraph(f"<w:r>{RUBY}</w:r>{run('だ')}"), "<ruby>漢<rt>かん</rt></ruby>だ"),
        (paragraph("<m:oMath><m:r><m:t>a=b</m:t></m:r></m:oMath>"), "a=b"),
        (paragraph(f"<w:r>{CHOICE}</w:r>"), "box"),
        (paragraph(SYMBOLS + run("m")), "µm"),
        (f"<w:sdt>{GALLERY}<w:sdtContent>{paragraph(run('CONTENTS'))}</w:sdtContent></w:sdt>", ""),
    ],
)
def test_all_that_is_read_and_nothing_else(xml: str, expected: str) -> None:
    document = a_document()
    document.add_paragraph("Before.")
    add_xml(document, xml)
    document.add_paragraph("After.")

    assert read(document).chapters[0].text == "\n\n".join(filter(None, ["Before.", expected, "After."]))


def test_a_table_of_contents_by_its_styles_is_not_read() -> None:
    document = a_document()
    document.styles.add_style("toc 1", 1)
    document.add_paragraph("One ..... 1", style="toc 1")
    document.add_paragraph("Text.")
    assert read(document).chapters[0].text == "Text."


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<no"}), DocumentUnreadable),
        (zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}), DocumentUnreadable),
        (zipped({"[Content_Types].xml": "<Types/>"}), DocumentUnreadable),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), DocumentProtected),
        (zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<d><body><p/></body></d>"}), DocumentEmpty),
    ],
)
def test_what_is_no_word_file_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_book(io.BytesIO(data), "a.docx")
