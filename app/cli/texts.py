"""Texts that the user passes to `koe`, as arguments, on standard input or in files, in any common encoding."""

import codecs
import math
import os
import re
import unicodedata
from typing import Any, Final

import click

from app.core.host import remedies

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks. The mark of little-endian UTF-16 is also the beginning of UTF-32's, which is therefore compared first."""
_KINDS: Final = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "an EPUB, an office document or another archive",
    b"\xd0\xcf\x11\xe0": "an office document",
    b"\x1f\x8b": "compressed",
    b"ID3": "audio",
    b"RIFF": "audio",
    b"fLaC": "audio",
    b"OggS": "audio",
}
"""First bytes of files that users often pass instead of text."""


class Text(click.ParamType):  # type: ignore[type-arg]
    """An argument with any characters. A locale without UTF-8 passes bytes, which are read as UTF-8."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises click's BadParameter for bytes that are not UTF-8."""
        try:
            value.encode()
        except UnicodeEncodeError:
            return self._decoded(value, param, ctx)
        return str(value)

    def _decoded(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return os.fsencode(value).decode()
        except UnicodeError:
            self.fail("it is not UTF-8 text.", param, ctx)


class JobId(Text):
    """The id of a job. Other text is refused, because it would change the URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises click's BadParameter for text that cannot be the id of a job."""
        if not re.fullmatch(r"[\w.-]+", text := super().convert(value, param, ctx)) or not text.strip("."):
            self.fail(f"{value!r} is no id of a job; {remedies.koe('jobs list')} shows them.", param, ctx)
        return text


class Name(Text):
    """A name that fits into one line of the log."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises click's BadParameter for an empty name, or one of several lines."""
        if not (text := super().convert(value, param, ctx)).strip() or not text.isprintable():
            self.fail(f"{value!r} is not a name: it must have letters, and be a single line.", param, ctx)
        return text


class Number(click.ParamType):  # type: ignore[type-arg]
    """A number that JSON can contain: not infinity or NaN."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Raises click's BadParameter for anything else."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


def text_of(argument: str) -> str:
    """The text that an argument gives; `-` is standard input."""
    return read_text("-") if argument == "-" else argument


def read_text(file: str) -> str:
    """The text in a file; `-` is standard input. Raises ValueError for anything but text."""
    with click.open_file(file, "rb") as opened:
        return decode_text(opened.read(), "Standard input" if file == "-" else file)


def decode_text(data: bytes, name: str) -> str:
    """Returns the text in a file: UTF-8, UTF-16 with or without a byte order mark, or UTF-32 with a mark. Raises ValueError for
    anything else.

    UTF-16 without a mark is recognised by the zero bytes of its spaces and line ends, which no text in UTF-8 has.
    """
    kind = next((f" but {kind}" for start, kind in _KINDS.items() if data.startswith(start)), "")
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if encoding is None:
        encoding = "utf-8" if b"\0" not in data or kind else _utf_16(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or (encoding.startswith("utf-16-") and _is_strange(text)):
        raise ValueError(f"{name} is not UTF-8 text{kind}. Save the text as plain text in UTF-8.")
    return text


def _is_strange(text: str) -> bool:
    """Whether it contains characters that no text contains: then the data was not UTF-16."""
    return any(unicodedata.category(char) in {"Cc", "Cn", "Co"} and not char.isspace() for char in text)


def _utf_16(data: bytes) -> str:
    """Returns the byte order. In little-endian text the second byte of an ASCII character is zero."""
    return "utf-16-le" if data[1::2].count(0) >= data[::2].count(0) else "utf-16-be"
