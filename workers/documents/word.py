"""Reads Word's files (.docx): headings by their styles, lists, tables, and nothing that is deleted, hidden or a note.

Why no library for Word's files: those that exist unpack all pictures of a file before they read its text, without a limit, and
leave out the text of tracked changes, text boxes, formulas or ruby.
"""

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

import msgspec
from lxml import etree

from app.core.errors import DocumentTooLarge, DocumentUnreadable
from workers.documents.archive import Archive, resolve
from workers.documents.book import MAX_TEXT_CHARS, Block, Book
from workers.documents.division import divide
from workers.documents.markup.layout import Break, Layout
from workers.documents.markup.parse import Element, name_of, read_xml

MAIN: Final = "word/document.xml"

_SILENT: Final = frozenset(
    [
        *("del", "movefrom", "instrtext", "deltext", "fallback", "rt", "docpr", "footnote", "endnote", "comment"),
        *("ppr", "rpr", "sectpr", "tblpr", "tblgrid", "trpr", "tcpr", "sdtpr", "rubypr", "fldchar"),
    ]
)
"""Elements whose text is not read: deletions, instructions of fields, second copies of drawings, properties."""
_HEADING: Final = re.compile(r"heading ([1-9])", re.IGNORECASE)
_CONTENTS: Final = re.compile(r"toc\b|table of (?:contents|figures|authorities)|index [1-9]|toa heading", re.IGNORECASE)
_NOTES: Final = re.compile(r"(?:footnote|endnote) text", re.IGNORECASE)
_TITLE: Final = "title"
_RAISED: Final = {
    "superscript": str.maketrans("0123456789+−-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻"),
    "subscript": str.maketrans("0123456789+−-", "₀₁₂₃₄₅₆₇₈₉₊₋₋"),
}
_NUMBER: Final = re.compile(r"[+−-]?\d{1,6}[+−-]?")
_OFF: Final = frozenset({"0", "false", "off", "none"})
_MAX_CELL_CHARS: Final = 400
_MAX_STYLES: Final = 20
"""A style is based on another one at most so many times."""
_UNREADABLE: Final = "The file is no complete Word document. Open it in a word processor and save it again as .docx."


class _Style(msgspec.Struct, frozen=True):
    """A style of paragraphs."""

    name: str
    based_on: str
    outline: int | None
    """Level in the outline, from 0."""
    numbering: tuple[str, int] | None
    """Id of the list, and level in it."""


class _ListLevel(msgspec.Struct, frozen=True):
    """How the items of a list are marked."""

    format: str
    start: int


def read_word(file: BinaryIO, name: str) -> Book:
    """The text, divided at its headings. `name` is its title if it has no other.

    Raises DocumentUnreadable, DocumentTooLarge and DocumentProtected.
    """
    archive = Archive(file)
    path = _find_main(archive)
    data = archive.read(path)
    if data is None:
        raise DocumentUnreadable(_UNREADABLE)
    body = next((one for one in read_xml(data, "text").iter() if name_of(one) == "body"), None)
    if body is None:
        raise DocumentUnreadable(_UNREADABLE)
    styles, numbering = _part(archive, path, "styles.xml"), _part(archive, path, "numbering.xml")
    writer = _Writer(_read_styles(styles), _read_lists(numbering))
    blocks = writer.write(body)
    if sum(len(block.text) for block in blocks) > MAX_TEXT_CHARS:
        raise DocumentTooLarge(f"The file has more than {MAX_TEXT_CHARS:,} characters.")
    told = _read_properties(archive)
    title = told.get("title") or writer.title
    language = told.get("language") or _language_of(styles)
    return Book(kind="docx", title=title, author=told.get("creator"), language=language, chapters=divide(blocks, title or name))


def _find_main(archive: Archive) -> str:
    relations = archive.read("_rels/.rels")
    for one in read_xml(relations, "list of parts").iter() if relations is not None else ():
        if (one.get("Type") or "").endswith("/officeDocument"):
            return resolve("", (one.get("Target") or "").lstrip("/")) or MAIN
    return MAIN


def _part(archive: Archive, main: str, name: str) -> Element | None:
    data = archive.read(resolve(main, name))
    return read_xml(data, name) if data is not None else None


def _read_properties(archive: Archive) -> dict[str, str]:
    data = archive.read("docProps/core.xml")
    found = ((name_of(one), " ".join((one.text or "").split())) for one in (read_xml(data, "properties") if data else ()))
    return {name: text for name, text in found if text}


def _read_styles(root: Element | None) -> dict[str, _Style]:
    return {_value(one, "styleId"): _style_of(one) for one in _all(root, "style")}


def _style_of(element: Element) -> _Style:
    outline = _value_within(element, "outlinelvl")
    return _Style(
        name=_value_within(element, "name"),
        based_on=_value_within(element, "basedon"),
        outline=int(outline) if outline.isdecimal() else None,
        numbering=_numbering_of(element),
    )


def _numbering_of(element: Element) -> tuple[str, int] | None:
    list_id, level = _value_within(element, "numid"), _value_within(element, "ilvl")
    return (list_id, int(level) if level.isdecimal() else 0) if list_id else None


def _read_lists(root: Element | None) -> dict[tuple[str, int], _ListLevel]:
    """The levels of all lists, by the id of the list and the level."""
    forms: dict[str, dict[int, _ListLevel]] = {}
    for abstract in _all(root, "abstractnum"):
        levels = ((one, _value(one, "ilvl")) for one in _all(abstract, "lvl"))
        forms[_value(abstract, "abstractNumId")] = {int(level): _level_of(one) for one, level in levels if level.isdecimal()}
    return {
        (_value(one, "numId"), level): form
        for one in _all(root, "num")
        for level, form in forms.get(_value_within(one, "abstractnumid"), {}).items()
    }


def _level_of(element: Element) -> _ListLevel:
    start = _value_within(element, "start")
    return _ListLevel(_value_within(element, "numfmt"), int(start) if start.isdecimal() and len(start) < 7 else 1)


def _language_of(styles: Element | None) -> str | None:
    defaults = next(iter(_all(styles, "docdefaults")), None)
    return _value_within(defaults, "lang") or None if defaults is not None else None


class _Writer:
    """Writes the text of a body, or of a cell, as blocks."""

    def __init__(self, styles: dict[str, _Style], lists: dict[tuple[str, int], _ListLevel]) -> None:
        self.layout = Layout()
        self.title: str | None = None
        """The first paragraph with the style of a title."""
        self._styles = styles
        self._lists = lists
        self._is_in_list = False
        self._counts: dict[tuple[str, int], int] = {}
        self._opened: dict[Element, Callable[[], None]] = {}
        """What ends each open paragraph."""
        self._signs: dict[str, Callable[[Element], None]] = {
            "t": lambda one: self.layout.add(self._raised(one)),
            "tab": lambda one: self.layout.add(" ") if name_of(one.getparent()) == "r" else None,
            "br": self._write_break,
            "cr": lambda _: self.layout.break_line(),
            "nobreakhyphen": lambda _: self.layout.add("‑"),
            "sym": self._write_symbol,
        }

    def write(self, body: Element) -> list[Block]:
        walk = etree.iterwalk(body, events=("start", "end"))
        for event, element in walk:
            if event == "end":
                self._opened.pop(element, lambda: None)()
            elif not self._begin(element, name_of(element)):
                walk.skip_subtree()
        self.layout.flush()
        return self.layout.blocks

    def _begin(self, element: Element, name: str) -> bool:
        """Writes the beginning of an element. False if it is read as a whole, or not at all."""
        if name in _SILENT or (name == "r" and _is_hidden(element)) or (name == "sdt" and _is_contents(element)):
            return False
        if name == "p":
            return self._begin_paragraph(element)
        if name == "tbl" and _is_of_data(element):
            self._write_table(element)
            return False
        if name == "ruby":
            self._write_ruby(element)
            return False
        if name in self._signs:
            self._signs[name](element)
        return True

    def _begin_paragraph(self, element: Element) -> bool:
        properties = next((one for one in element if name_of(one) == "ppr"), None)
        style_id = _value_within(properties, "pstyle") if properties is not None else ""
        names = [style.name for style in self._line_of(style_id)]
        if any(_CONTENTS.match(name) or _NOTES.match(name) for name in names):
            return False
        if names and names[0].lower() == _TITLE:
            self.title = self.title or " ".join(
                "".join(one.text or "" for one in element.iter() if name_of(one) == "t").split()
            )
        level = self._heading_level(style_id, properties)
        numbering = self._numbering(style_id, properties)
        is_item = not level and numbering is not None and numbering in self._lists
        self.layout.break_(Break.LINE if is_item and self._is_in_list else Break.PARAGRAPH)
        self._is_in_list = is_item
        if level:
            self.layout.begin_heading(level)
            self._opened[element] = self.layout.end_heading
        elif is_item and numbering is not None:
            self.layout.begin_item(self._marker(numbering))
            self._opened[element] = self.layout.end_item
        else:
            self._opened[element] = lambda: self.layout.break_(Break.PARAGRAPH)
        return True

    def _line_of(self, style_id: str) -> Iterator[_Style]:
        """Yields the style and those that it is based on."""
        for _ in range(_MAX_STYLES):
            style = self._styles.get(style_id)
            if style is None:
                return
            yield style
            style_id = style.based_on

    def _heading_level(self, style_id: str, properties: Element | None) -> int:
        """1 to 6; 0 for no heading."""
        own = _value_within(properties, "outlinelvl") if properties is not None else ""
        if own.isdecimal() and int(own) < 9:
            return min(6, int(own) + 1)
        for style in self._line_of(style_id):
            if match := _HEADING.fullmatch(style.name):
                return min(6, int(match[1]))
            if style.outline is not None and style.outline < 9:
                return min(6, style.outline + 1)
        return 0

    def _numbering(self, style_id: str, properties: Element | None) -> tuple[str, int] | None:
        own = _numbering_of(properties) if properties is not None else None
        return own or next((style.numbering for style in self._line_of(style_id) if style.numbering), None)

    def _marker(self, numbering: tuple[str, int]) -> str:
        list_id, level = numbering
        form = self._lists[numbering]
        number = self._counts.get(numbering, form.start - 1) + 1
        self._counts[numbering] = number
        for deeper in [key for key in self._counts if key[0] == list_id and key[1] > level]:
            del self._counts[deeper]
        return "- " if form.format in ("bullet", "none", "") else f"{number}. "

    def _raised(self, element: Element) -> str:
        """The text of a run; a raised or lowered number as such."""
        text, run = element.text or "", element.getparent()
        raised = _value_within(run, "vertalign") if name_of(run) == "r" else ""
        return text.translate(_RAISED[raised]) if raised in _RAISED and _NUMBER.fullmatch(text.strip()) else text

    def _write_break(self, element: Element) -> None:
        if _value(element, "type") in ("page", "column"):
            self.layout.break_(Break.PARAGRAPH)
        else:
            self.layout.break_line()

    def _write_symbol(self, element: Element) -> None:
        """Writes a symbol, unless its number means something in its own font alone."""
        number = int(_value(element, "char") or "0", 16) if re.fullmatch(r"[0-9A-Fa-f]{1,6}", _value(element, "char")) else 0
        if 32 <= number < 0xD800:
            self.layout.add(chr(number))

    def _write_ruby(self, element: Element) -> None:
        base, reading = (
            "".join(one.text or "" for part in element if name_of(part) == name for one in part.iter() if name_of(one) == "t")
            for name in ("rubybase", "rt")
        )
        self.layout.add(f"<ruby>{base}<rt>{reading}</rt></ruby>" if base and reading else base + reading)

    def _write_table(self, table: Element) -> None:
        """Writes each row on a line, as `| one | two |`."""
        rows = [[self._text_of(cell) for cell in _cells(row) if not _is_continued(cell)] for row in _children(table, "tr")]
        self.layout.add_block("\n".join(f"| {' | '.join(row)} |" for row in rows if any(row)))
        self.layout.break_(Break.PARAGRAPH)

    def _text_of(self, cell: Element) -> str:
        blocks = _Writer(self._styles, self._lists).write(cell)
        return " ".join(" ".join(block.text for block in blocks).split()).replace("|", "\\|")


def _is_hidden(run: Element) -> bool:
    properties = next(iter(_children(run, "rpr")), None)
    hidden = next(iter(_children(properties, "vanish")), None) if properties is not None else None
    return hidden is not None and (_value(hidden, "val") or "1") not in _OFF


def _is_contents(element: Element) -> bool:
    """Whether it is a table of contents that Word makes by itself."""
    properties = next(iter(_children(element, "sdtpr")), None)
    return properties is not None and "contents" in _value_within(properties, "docpartgallery").lower()


def _is_of_data(table: Element) -> bool:
    """Whether a table holds data: it has columns, and no cell that is a page of its own."""
    if next((one for one in table.iterdescendants() if name_of(one) == "tbl"), None) is not None:
        return False
    rows = [_cells(row) for row in _children(table, "tr")]
    if max(map(len, rows), default=0) < 2:
        return False
    return all(
        sum(len(one.text or "") for one in cell.iter() if name_of(one) == "t") <= _MAX_CELL_CHARS
        for row in rows
        for cell in row
    )


def _is_continued(cell: Element) -> bool:
    """Whether the cell only continues the one above it."""
    merged = next((one for one in cell.iter() if name_of(one) == "vmerge"), None)
    return merged is not None and _value(merged, "val") != "restart"


def _cells(row: Element) -> list[Element]:
    """The cells of a row, also those within a content control."""
    inner = [
        cell for one in _children(row, "sdt") for content in _children(one, "sdtcontent") for cell in _children(content, "tc")
    ]
    return _children(row, "tc") + inner


def _children(element: Element, name: str) -> list[Element]:
    return [one for one in element if name_of(one) == name]


def _all(root: Element | None, name: str) -> list[Element]:
    return [one for one in root.iter() if name_of(one) == name] if root is not None else []


def _value_within(element: Element, name: str) -> str:
    """The value of the first element with this name within it; empty without one."""
    found = next((one for one in element.iter() if name_of(one) == name), None)
    return _value(found, "val") if found is not None else ""


def _value(element: Element, name: str) -> str:
    """An attribute, whatever its namespace; empty without it."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
