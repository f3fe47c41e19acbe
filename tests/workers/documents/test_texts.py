"""Plain text, Markdown and subtitles: encodings, wrapped lines, headings, cues."""

import re
import textwrap

import pytest

from app.core.errors import DocumentUnreadable
from tests.books import PROSE
from workers.documents.decoding import decode
from workers.documents.texts.markdown import read_markdown
from workers.documents.texts.plain import read_plain
from workers.documents.texts.subtitles import read_subtitles

GERMAN = "Der Fluß ist schön und größer als die Übung, sagte Jürgen – »für ein Café«."
FRENCH = (
    "L’été dernier, nous avons mangé des crêpes à la française ; c’était très agréable, n’est-ce pas ? Où êtes-vous allés ?"
)
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗い所でニャーニャー泣いていた。"
CHINESE = "话说天下大势，分久必合，合久必分。周末七国分争，并入于秦。及秦灭之后，楚、汉分争，又并入于汉。"


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", [GERMAN + " Und so weiter, und so fort.", "plain text"])
def test_every_form_of_unicode_is_read(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (FRENCH * 3, "cp1252"),
        (GERMAN * 3, "cp1252"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (CHINESE * 2, "gb18030"),
    ],
)
def test_old_encodings_are_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_markup_declares_its_encoding() -> None:
    html = '<meta charset="windows-1251"><p>Привет'
    assert decode(html.encode("cp1251"), is_markup=True) == html
    assert decode(b'<?xml version="1.0" encoding="iso-8859-1"?><p>\x80', is_markup=True).endswith("€")
    assert decode(b'<meta charset="nonsense"><p>caf\xe9', is_markup=True).endswith("café")
    assert decode(b'<meta charset="zlib"><p>caf\xe9', is_markup=True).endswith("café")


def test_line_ends_are_made_equal_and_noise_is_refused() -> None:
    assert decode(b"a\r\nb\rc\n") == "a\nb\nc\n"
    with pytest.raises(DocumentUnreadable, match="UTF-8"):
        decode(bytes(range(256)) * 10)


# Plain text


def plain(text: str) -> str:
    return "\n\n".join(chapter.text for chapter in read_plain(text.encode(), "notes").chapters)


@pytest.mark.parametrize("width", [60, 72, 80])
def test_wrapped_lines_become_paragraphs_again(width: int) -> None:
    paragraphs = [PROSE, "A short one.", f"{PROSE} {PROSE}"]
    wrapped = "\n\n".join(textwrap.fill(paragraph, width, break_long_words=False) for paragraph in paragraphs)
    assert plain(wrapped) == "\n\n".join(paragraphs)


def test_verse_lists_and_addresses_keep_their_lines_among_wrapped_prose() -> None:
    verse = "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\nCould frame thy symmetry?"
    listed = "1. Flour\n2. Sugar\n3. Eggs"
    wrapped = textwrap.fill(f"{PROSE} {PROSE}", 72)
    indented = textwrap.indent(verse, "    ")
    assert plain(f"{wrapped}\n\n{verse}\n\n{listed}\n\n{indented}\n\n{wrapped}") == "\n\n".join(
        [f"{PROSE} {PROSE}", verse, listed, verse, f"{PROSE} {PROSE}"]
    )


def test_a_text_with_a_paragraph_on_each_line_is_divided_at_the_lines() -> None:
    assert plain(f"{PROSE}\n{PROSE}\n{PROSE}") == "\n\n".join([PROSE] * 3)


def test_japanese_without_spaces_is_joined_without_spaces() -> None:
    wrapped = "\n".join(textwrap.wrap(JAPANESE * 4, 35))
    assert plain(wrapped) == JAPANESE * 4


def test_a_word_that_is_divided_at_the_end_of_a_line_is_left_to_normalization() -> None:
    rest = "This is a line that ends with a word that has been divided by a hy-\nphen, and it goes on for a while."
    text = f"{textwrap.fill(PROSE, 70)}\n\n{rest}"
    assert "hy-\nphen" in plain(text)


GUTENBERG = """\ufeffThe Project Gutenberg eBook of Emma

This ebook is for the use of anyone anywhere in the United States.

Title: Emma:
       A Novel

Author: Jane Austen

Language: English

*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***

Produced by An Anonymous Volunteer


EMMA

By Jane Austen

Contents

CHAPTER I.
CHAPTER II.
CHAPTER III.
CHAPTER IV.

CHAPTER I

{prose}

CHAPTER II

{prose}

*** END OF THE PROJECT GUTENBERG EBOOK EMMA ***

Updated editions will replace the previous one.
"""


def test_a_text_of_project_gutenberg_has_its_names_and_not_its_licence() -> None:
    book = read_plain(GUTENBERG.format(prose=textwrap.fill(PROSE * 3, 72)).encode(), "pg158")

    assert (book.title, book.author, book.language) == ("Emma: A Novel", "Jane Austen", "en")
    assert [chapter.title for chapter in book.chapters] == ["Emma: A Novel", "CHAPTER I", "CHAPTER II"]
    assert [chapter.is_matter for chapter in book.chapters] == [True, False, False]
    whole = "\n\n".join(chapter.text for chapter in book.chapters)
    assert whole.startswith("EMMA\n\nBy Jane Austen")
    assert not re.search("Gutenberg|Produced by|Updated editions|anyone anywhere", whole)
    assert book.chapters[2].text == f"CHAPTER II\n\n{PROSE * 3}"


def test_no_word_of_a_text_is_lost() -> None:
    text = f"{textwrap.fill(PROSE * 5, 66)}\n\n  indented\n\tand more\n\n* * *\n\n{PROSE}\nlast"
    assert re.findall(r"\S+", plain(text)) == re.findall(r"\S+", text)


# Markdown


def test_markdown_is_divided_at_its_headings_and_stays_markdown() -> None:
    text = (
        "---\ntitle: My *notes*\nauthor: [A. One, B. Two]\nlang: en-GB\n---\n\nBefore.\n\n# One #\n\n*Text* with `code`.\n\n"
        "```\n# no heading\n```\n\nTwo\n===\n\n- a\n- b\n\n> # quoted\n"
    )
    book = read_markdown(text.encode(), "notes")

    assert (book.kind, book.title, book.author, book.language) == ("md", "My *notes*", "A. One, B. Two", "en-GB")
    assert [(chapter.title, chapter.text) for chapter in book.chapters] == [
        ("My *notes*", "Before."),
        ("One", "# One #\n\n*Text* with `code`.\n\n```\n# no heading\n```"),
        ("Two", "Two\n===\n\n- a\n- b\n\n> # quoted"),
    ]


@pytest.mark.parametrize("text", ["---\nno: [yaml\n---\nText.", "---\nA line.\n---\nText.", "---\n\nText."])
def test_what_is_no_front_matter_is_text(text: str) -> None:
    assert "Text." in read_markdown(text.encode(), "notes").chapters[0].text
    assert read_markdown(text.encode(), "notes").title is None


def test_the_only_heading_of_the_first_level_is_the_title() -> None:
    book = read_markdown(b"# **The** Title\n\nIntro.\n\n## One\n\na\n\n## Two\n\nb", "notes")
    assert (book.title, [chapter.title for chapter in book.chapters]) == ("The Title", ["The Title", "One", "Two"])


# Subtitles


def cues(*said: tuple[float, float, str]) -> bytes:
    def clock(seconds: float) -> str:
        return f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02},{round(seconds % 1 * 1000):03}"

    return "\n".join(f"{n}\n{clock(start)} --> {clock(end)}\n{text}\n" for n, (start, end, text) in enumerate(said, 1)).encode()


def test_cues_become_sentences_and_a_pause_begins_a_paragraph() -> None:
    data = cues(
        (1.0, 2.0, "<i>We are going\nto the sea</i>"),
        (2.1, 3.0, "{\\an8}and back again."),
        (3.1, 4.0, "- Are you <font color='red'>sure</font>?\n- Yes."),
        (9.0, 10.0, "Later."),
    )
    book = read_subtitles(data, "film")

    assert [(chapter.title, chapter.text) for chapter in book.chapters] == [
        ("film", "We are going to the sea and back again. Are you sure? Yes.\n\nLater.")
    ]


def test_subtitles_with_other_line_ends_and_without_numbers_are_read() -> None:
    data = b"\xef\xbb\xbf00:00:01.000 --> 00:00:02.000\r\nOne\r\n\r\n00:00:02.000 --> 00:00:03.000\r\ntwo.\r\n"
    assert read_subtitles(data, "film").chapters[0].text == "One two."


def test_a_file_without_times_is_refused() -> None:
    with pytest.raises(DocumentUnreadable, match=r"\.txt"):
        read_subtitles(b"No times.", "film")
