"""Writes the text of a page as blocks: paragraphs, headings, lists with an item a line, tables with a row a line, verse.

Why the tree is walked and not recursed into: pages are nested as deep as their programs like.
"""

import re
from collections.abc import Callable
from typing import Final

from lxml import etree

from workers.documents.markup.layout import Break, Layout
from workers.documents.markup.parse import Element, name_of, types_of
from workers.documents.markup.unread import is_unread

_BLOCKS: Final = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "main",
        "menu",
        "ol",
        "p",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_LISTS: Final = frozenset({"ul", "ol", "menu", "dir"})
_VERSE: Final = frozenset(["line", "verse", "verse-line", "verseline", "poem-line", "poemline", "l"])
"""Classes of the lines of a poem."""
_CODE: Final = re.compile(r"\b(?:code|programlisting|sourcecode|highlight|screen)\b", re.IGNORECASE)
_NO_MARKER: Final = re.compile(r"list-style(?:-type)?\s{0,9}:\s{0,9}none", re.IGNORECASE)
_RAISED: Final = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_LOWERED: Final = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_NUMBER: Final = re.compile(r"[+−-]?\d{1,6}[+−-]?|n")
_MAX_CELL_CHARS: Final = 400
"""A table with a longer cell arranges a page: its cells are read as paragraphs."""


def write(root: Element) -> Layout:
    """The text of the page, in order."""
    return _Writer().write(root)


class _Writer:
    def __init__(self) -> None:
        self.layout = Layout()
        self._numbers: list[int | None] = []
        """For each open list the number of its next item; None without numbers."""
        self._whole: dict[str, Callable[[Element], None]] = {
            "ruby": self._write_ruby,
            "math": self._write_math,
            "pre": self._write_pre,
            "sup": self._write_raised,
            "sub": self._write_lowered,
        }
        """What writes an element with all that is in it."""

    def write(self, root: Element) -> Layout:
        walk = etree.iterwalk(root, events=("start", "end"))
        written: set[Element] = set()
        for event, element in walk:
            if event == "end":
                self._end(element, is_open=element not in written, is_root=element is root)
            elif not self._begin(element):
                written.add(element)
                walk.skip_subtree()
        self.layout.flush()
        return self.layout

    def _begin(self, element: Element) -> bool:
        """Writes the beginning of an element. False if it is read as a whole, or not at all."""
        name = name_of(element)
        self._mark(element, name)
        is_silent = is_unread(element)
        write_whole = None if is_silent else self._whole_of(element, name)
        if is_silent or write_whole is not None:
            for inner in element.iterdescendants():
                self._mark_names(inner)
        if write_whole is not None:
            write_whole(element)
        if is_silent or write_whole is not None:
            return False
        self._open(element, name)
        self.layout.add(element.text or "")
        return True

    def _whole_of(self, element: Element, name: str) -> Callable[[Element], None] | None:
        if name == "table":
            return self._write_table if _is_of_data(element) else None
        if name in ("sup", "sub"):
            return self._whole[name] if not len(element) and _NUMBER.fullmatch((element.text or "").strip()) else None
        return self._whole.get(name)

    def _end(self, element: Element, *, is_open: bool, is_root: bool) -> None:
        name = name_of(element)
        if is_open:
            self._close(element, name)
        if not is_root:
            self.layout.add(element.tail or "")

    def _mark(self, element: Element, name: str) -> None:
        if name in _BLOCKS or name in _HEADINGS or name == "li":
            self._break(element, name)
        self._mark_names(element)

    def _mark_names(self, element: Element) -> None:
        for anchor in (element.get("id"), element.get("name")):
            if anchor:
                self.layout.mark(anchor, types_of(element))

    def _break(self, element: Element, name: str) -> None:
        if name in _LISTS and name_of(element.getparent()) == "li":
            self.layout.break_(Break.LINE)
        elif name != "li":
            is_line = name in ("div", "p") and not _VERSE.isdisjoint((element.get("class") or "").lower().split())
            self.layout.break_(Break.LINE if is_line else Break.PARAGRAPH)

    def _open(self, element: Element, name: str) -> None:
        if name in _HEADINGS:
            self.layout.begin_heading(_HEADINGS[name])
        elif name in _LISTS:
            self._numbers.append(_first_number(element, name))
        elif name == "li":
            self.layout.begin_item(self._next_marker(element))
        elif name == "br":
            self.layout.break_line()
        elif name == "q":
            self.layout.add("“")

    def _close(self, element: Element, name: str) -> None:
        if name in _HEADINGS:
            self.layout.end_heading()
        elif name == "li":
            self.layout.end_item()
        elif name == "q":
            self.layout.add("”")
        elif name in _BLOCKS:
            if name in _LISTS and self._numbers:
                self._numbers.pop()
            if name in ("p", "div") and _ends_item(element):
                self.layout.break_(Break.LINE)
            else:
                self._break(element, name)

    def _next_marker(self, element: Element) -> str:
        if not self._numbers or (number := self._numbers[-1]) is None:
            return "- "
        if (element.get("value") or "").strip().isdecimal():
            number = int(element.get("value"))
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _write_ruby(self, element: Element) -> None:
        """Writes the word with its reading, as normalization understands it."""
        written = "".join(_ruby_pieces(element))
        self.layout.add(f"<ruby>{written}</ruby>" if "<rt>" in written else written)

    def _write_math(self, element: Element) -> None:
        tex = next((one.text for one in element.iter("{*}annotation") if "tex" in (one.get("encoding") or "").lower()), None)
        tex = tex or element.get("alttext")
        self.layout.add(f" ${tex.strip()}$ " if tex and tex.strip() else " ".join(element.itertext()))

    def _write_pre(self, element: Element) -> None:
        text = "".join(element.itertext()).strip("\n")
        classes = f"{element.get('class') or ''} {' '.join(name_of(child) for child in element)}"
        self.layout.break_(Break.PARAGRAPH)
        if _CODE.search(classes):
            self.layout.add_block(f"```\n{text}\n```" if text.strip() else "")
        else:
            self.layout.add_lines(text)
        self.layout.break_(Break.PARAGRAPH)

    def _write_raised(self, element: Element) -> None:
        self.layout.add((element.text or "").strip().translate(_RAISED))

    def _write_lowered(self, element: Element) -> None:
        self.layout.add((element.text or "").strip().translate(_LOWERED))

    def _write_table(self, element: Element) -> None:
        """Writes each row on a line, as `| one | two |`."""
        self.layout.flush()
        rows = [_row_of(row) for row in _rows(element)]
        for caption in (child for child in element if name_of(child) == "caption"):
            self.layout.add_block(" ".join(_text_of(caption).split()))
        self.layout.add_block("\n".join(row for row in rows if row))
        self.layout.break_(Break.PARAGRAPH)


def _first_number(element: Element, name: str) -> int | None:
    if name != "ol" or _NO_MARKER.search(element.get("style") or ""):
        return None
    start = (element.get("start") or "").strip()
    return int(start) if start.isdecimal() and len(start) < 7 else 1


def _ends_item(element: Element) -> bool:
    """Whether it is the last in an item of a list."""
    parent = element.getparent()
    return parent is not None and name_of(parent) == "li" and element.getnext() is None and not (element.tail or "").strip()


def _ruby_pieces(ruby: Element) -> list[str]:
    pieces: list[str] = []
    for event, element in etree.iterwalk(ruby, events=("start", "end")):
        name = name_of(element)
        is_start = event == "start"
        if name in ("rt", "rb", "rtc"):
            pieces.append(f"<{'' if is_start else '/'}{name}>")
        if is_start and name != "rp":
            pieces.append("".join((element.text or "").split()))
        if not is_start and element is not ruby:
            pieces.append("".join((element.tail or "").split()))
    return pieces


def _rows(table: Element) -> list[Element]:
    """The rows of a table, without those of tables within it."""
    rows = [child for child in table if name_of(child) == "tr"]
    for group in (child for child in table if name_of(child) in ("thead", "tbody", "tfoot")):
        rows += [child for child in group if name_of(child) == "tr"]
    return rows


def _cells(row: Element) -> list[Element]:
    return [child for child in row if name_of(child) in ("td", "th")]


def _is_of_data(table: Element) -> bool:
    """Whether a table holds data: it has columns, and no cell that is a page of its own."""
    if (table.get("role") or "") in ("presentation", "none") or next(table.iterdescendants("{*}table"), None) is not None:
        return False
    rows = [_cells(row) for row in _rows(table)]
    if max(map(len, rows), default=0) < 2:
        return False
    return all(len(" ".join("".join(cell.itertext()).split())) <= _MAX_CELL_CHARS for row in rows for cell in row)


def _row_of(row: Element) -> str:
    cells = [_text_of(cell) for cell in _cells(row) if not is_unread(cell)]
    return f"| {' | '.join(cells)} |" if any(cells) else ""


def _text_of(element: Element) -> str:
    """The text of a cell in one line."""
    blocks = write(element).blocks
    return " ".join(" ".join(block.text for block in blocks).split()).replace("|", "\\|")
