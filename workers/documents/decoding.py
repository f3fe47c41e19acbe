"""Finds the encoding of a file, and reads its text.

Why so few encodings are guessed: they are those of the languages that Koe speaks. With more to choose from, the guess about a
short text becomes worse.
"""

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

from app.core.errors import DocumentUnreadable

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks. That of little-endian UTF-16 also begins that of UTF-32, which is therefore compared first."""

GUESSED: Final = ["cp1252", "cp932", "euc_jp", "iso2022_jp", "gb18030", "big5", "mac_roman"]
"""Encodings that a file without a declaration may have, if it is not Unicode."""

_DECLARED: Final = re.compile(
    rb"""<(?:\?xml|meta)\b[^<>]{0,300}?(?:encoding|charset)\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})""", re.I
)
_HEAD_BYTES: Final = 4096
_SAMPLE_BYTES: Final = 256 * 1024
"""The encoding is guessed from the beginning of a file."""
_SAME: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
} | dict.fromkeys(("iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"), "cp1252")
"""Names that files have for encodings of which they use more than these contain. Browsers read them so too."""


def decode(data: bytes, *, is_markup: bool = False) -> str:
    """The text, with its line breaks as line feeds. `is_markup`: the file may declare its encoding.

    Raises DocumentUnreadable.
    """
    text = _decode(data, is_markup=is_markup).replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\0") > len(text) // 1000:
        raise DocumentUnreadable(
            "The file has an extension of a text, but its content is none. Save it as plain text in UTF-8."
        )
    return text.replace("\0", "").removeprefix("\ufeff")


def _decode(data: bytes, *, is_markup: bool) -> str:
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if (wide := marked or _wide_encoding(data)) is not None:
        return data.decode(wide, "replace")
    declared = _declared(data) if is_markup else None
    for name in filter(None, ("utf-8", declared)):
        try:
            return data.decode(name)
        except (UnicodeError, LookupError):
            continue
    return data.decode(declared if declared is not None and _is_known(declared) else _guess(data), "replace")


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 without a mark, by the zero bytes of its spaces and line ends, which UTF-8 does not have."""
    sample = data[:_HEAD_BYTES]
    n_even, n_odd = sample[::2].count(0), sample[1::2].count(0)
    if n_even + n_odd < len(sample) // 20 or len(data) % 2:
        return None
    return "utf-16-le" if n_odd > 4 * n_even else "utf-16-be" if n_even > 4 * n_odd else None


def _declared(data: bytes) -> str | None:
    match = _DECLARED.search(data[:_HEAD_BYTES])
    if match is None:
        return None
    name = match[1].decode("ascii").lower()
    return _SAME.get(name, name)


def _is_known(encoding: str) -> bool:
    """Whether it is an encoding of text."""
    try:
        "".encode(encoding)
    except LookupError:
        return False
    return True


def _guess(data: bytes) -> str:
    found = from_bytes(data[:_SAMPLE_BYTES], cp_isolation=GUESSED).best()
    return found.encoding if found is not None else "cp1252"
