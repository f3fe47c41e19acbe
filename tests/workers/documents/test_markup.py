"""Pages as text: paragraphs, headings, lists, tables, verse, ruby; and what is not read."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.documents.book import Block
from workers.documents.markup.layout import Layout
from workers.documents.markup.parse import parse
from workers.documents.markup.writer import write


def layout_of(html: str) -> Layout:
    return write(parse(html.encode()))


def texts(html: str) -> list[str]:
    return [block.text for block in layout_of(html).blocks]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One <b>wor</b>d,\n  and this.</p><p>Two", ["One word, and this.", "Two"]),
        ("<p>a</p>tail<div>b</div>c", ["a", "tail", "b", "c"]),
        ("<p>a<br>b<br><br>c", ["a\nb", "c"]),
        ("<p>a<p>&nbsp;<p> <p>b", ["a", "b"]),
        ("so\u00adft ﬁne <q>quoted</q> a\u200bb", ["soft fine “quoted” ab"]),
        ("<ul><li>One<li>Two</ul><p>x", ["- One\n- Two", "x"]),
        ("<ul><li><p>One</p></li><li>Two<ul><li>in</ul><li></li><li>Three</ul>", ["- One\n- Two\n- in\n- Three"]),
        ("<ol start=3><li>c<li>d</ol><ol style='list-style: none'><li>e</ol>", ["3. c\n4. d", "- e"]),
        ("<ol><li>a<p>more</p><li value=7>b</ol>", ["1. a", "more\n7. b"]),
        ("<table><caption>T</caption><tr><th>a<th>b<tr><td>1<td>x|y</table>z", ["T", "| a | b |\n| 1 | x\\|y |", "z"]),
        ("<table><tr><td><p>one</p><p>two</p></td></tr></table>", ["one", "two"]),
        (f"<table><tr><td>{'long ' * 100}</td><td>b</td></tr></table>", [("long " * 100).strip(), "b"]),
        ("<dl><dt>Term<dd>What it is</dl>", ["Term", "What it is"]),
        ("<div class=stanza><div class=line>Roses</div><div class=line>Violets</div></div><div>x", ["Roses\nViolets", "x"]),
        ("<pre>One\n  two\n\nthree</pre>x", ["One\ntwo", "three", "x"]),
        ("<pre><code>a = 1\n\nb</code></pre>x", ["```\na = 1\n\nb\n```", "x"]),
        ("x<sup>2</sup> 1<sup>st</sup> H<sub>2</sub>O", ["x² 1st H₂O"]),
        ("<math alttext='x^2'><mi>x</mi></math> is", ["$x^2$ is"]),
        ("<math><mi>x</mi><mo>=</mo></math>", ["x ="]),
    ],
)
def test_a_page_becomes_blocks(html: str, expected: list[str]) -> None:
    assert texts(html) == expected


def test_headings_have_levels_and_lines() -> None:
    blocks = layout_of("<h1>Chapter 1<br/>The Boy</h1><h3><div>in</div></h3><h2><img alt=x></h2><p>text").blocks

    assert blocks == [Block("Chapter 1\nThe Boy", 1), Block("in", 3), Block("text")]
    assert blocks[0].title == "Chapter 1: The Boy"


def test_the_number_of_the_first_chapter_is_no_word() -> None:
    (heading, text) = layout_of("<h2>I</h2><p>I").blocks
    assert (heading.text, heading.title, text.text) == ("I.", "I", "I")


def test_ruby_keeps_what_normalization_reads() -> None:
    html = "<p>彼は<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>\n字<rt>じ</rt></ruby>だ<ruby>無</ruby></p>"
    assert texts(html) == ["彼は<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>だ無"]


@pytest.mark.parametrize(
    "html",
    [
        "<nav>{}</nav>",
        "<script>{}</script>",
        "<style>{}</style>",
        "<span hidden>{}</span>",
        "<span aria-hidden='true'>{}</span>",
        "<span style='color: red; display : none'>{}</span>",
        "<img alt='{}'>",
        "<svg><text>{}</text></svg>",
        "<span class='pagenum'>{}</span>",
        "<span epub:type='pagebreak'>{}</span>",
        "<aside epub:type='footnote'><p>{}</p></aside>",
        "<section role='doc-endnotes'><ol><li>{}</li></ol></section>",
        "<div class='footnote'><p>{}</p></div>",
        "<section class='pg-boilerplate pgheader'>{}</section>",
        "<a epub:type='noteref' href='n.xhtml#1'>{}</a>",
        "<a role='doc-noteref' href='#1'>{}</a>",
        "<!-- {} -->",
        "<noscript>{}</noscript>",
    ],
)
def test_what_is_for_the_eye_alone_is_not_read(html: str) -> None:
    assert texts(f"<p>before </p>{html.format('SECRET')}<p>after</p>") == ["before", "after"]


@pytest.mark.parametrize("mark", ["1", "[12]", "*", "†", "a", "(iv)", "23."])
def test_a_raised_link_is_the_mark_of_a_note(mark: str) -> None:
    assert texts(f"<p>Word<a href='#n'><sup>{mark}</sup></a>, word<sup><a href='x.html#n'>{mark}</a></sup>.") == ["Word, word."]


@pytest.mark.parametrize(
    "html", ["<a href='#x'>a</a>", "<a href='#x'><sup>the word</sup></a>", "<sup>nd</sup>", "<a id='x'>1</a>"]
)
def test_what_only_looks_like_the_mark_of_a_note_is_read(html: str) -> None:
    assert texts(f"<p>Word {html}.") == [f"Word {re.sub('<[^>]*>', '', html)}."]


def test_links_lead_to_the_block_that_they_are_in() -> None:
    html = "<h2 id=a>A</h2><p id=b>x</p><a id=c></a><h2>C</h2><p>mid<a name=d></a>dle</p><img id=e><section id=f><p>F"
    assert layout_of(html).anchors == {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4, "f": 4}


def test_xhtml_with_empty_elements_and_entities_is_read_whole() -> None:
    page = (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://x/xhtml11.dtd">'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>'
        '<body><p>a&nbsp;b&mdash;c &lt;d&gt;<a id="x"/>e</p></body></html>'
    )
    assert texts(page) == ["a\u00a0b—c <d>e"]
    assert texts(page.replace("</p>", "")) == ["a\u00a0b—c <d>e"]


def test_entities_that_a_page_defines_are_neither_expanded_nor_fetched() -> None:
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    page = (
        f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a0 "x">{bomb}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>one &a11; &f; two</p></body></html>'
    )
    (text,) = texts(page)
    assert text.startswith("one")
    assert text.endswith("two")
    assert len(text) < 50
    assert "root" not in text


INLINE = ["b", "i", "span", "a", "em", "u", "font", "small", "abbr", "unknown"]
OUTER = ["div", "p", "blockquote", "section", "td", "li", "h2", "article", "center", "figure", "dd"]


@st.composite
def pages(draw: st.DrawFn, depth: int = 3) -> tuple[str, list[str]]:
    """A page, and its words in order."""
    if depth == 0 or draw(st.booleans()):
        word = draw(st.text("abcdefghij", min_size=3, max_size=6))
        return f" {word} ", [word]
    parts = [draw(pages(depth=depth - 1)) for _ in range(draw(st.integers(1, 4)))]
    inner, words = "".join(part for part, _ in parts), [word for _, some in parts for word in some]
    name = draw(st.sampled_from(INLINE + OUTER))
    return f"<{name}>{inner}</{name}>", words


@settings(max_examples=200, deadline=None)
@given(pages(4))
def test_no_word_is_lost_and_none_moves(made: tuple[str, list[str]]) -> None:
    html, words = made
    assert re.findall(r"[a-z]{3,}", " ".join(texts(html))) == words
