"""Reads Markdown: its chapters and its title. The text stays Markdown, which Koe's normalization reads."""

import re
from typing import Any, Final

import yaml
from markdown_it import MarkdownIt

from workers.documents.book import Block, Book
from workers.documents.decoding import decode
from workers.documents.division import divide

_FRONT_MATTER: Final = re.compile(r"\A\s{0,9}---[ \t]*\n(?P<fields>.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_MARKS: Final = re.compile(r"[*_`]+|\{#[^{}]{0,100}\}\s*\Z")
_LANGUAGE_FIELDS: Final = ("lang", "language")


def read_markdown(data: bytes, name: str) -> Book:
    """The text, divided at its headings. `name` is its title if it has no other."""
    text = decode(data)
    match = _FRONT_MATTER.match(text)
    fields = _read_fields(match["fields"]) if match is not None else {}
    blocks = _blocks_of(text[match.end() if match is not None and fields else 0 :])
    tops = [block.title for block in blocks if block.level == 1]
    title = _string(fields.get("title")) or (tops[0] if len(tops) == 1 else None)
    return Book(
        kind="md",
        title=title,
        author=_string(fields.get("author")),
        language=next((tag for field in _LANGUAGE_FIELDS if (tag := _string(fields.get(field)))), None),
        chapters=divide(blocks, title or name),
    )


def _read_fields(text: str) -> dict[str, Any]:
    """The fields of the front matter; none if it is not YAML, or just a text between two lines."""
    try:
        fields = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _string(value: Any) -> str | None:
    """One line: a name, or the names in a list."""
    names = value if isinstance(value, list) else [value]
    return ", ".join(" ".join(name.split()) for name in names if isinstance(name, str) and name.strip()) or None


def _blocks_of(text: str) -> list[Block]:
    """Headings, and the text between two of them."""
    lines = text.split("\n")
    blocks: list[Block] = []
    at = 0
    for token in MarkdownIt().disable("inline").parse(text):
        if token.type == "heading_open" and token.level == 0 and token.map is not None:
            first, last = token.map
            blocks += _as_block(lines[at:first], 0) + _as_block(lines[first:last], int(token.tag[1:]))
            at = last
    return blocks + _as_block(lines[at:], 0)


def _as_block(lines: list[str], level: int) -> list[Block]:
    text = _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")
    if not text.strip():
        return []
    title = _MARKS.sub("", lines[0].strip().strip("#")).strip() if level else ""
    return [Block(text, level, title)]
