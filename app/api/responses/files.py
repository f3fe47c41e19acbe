"""A stored file over HTTP, whole or one range of it, read in pieces so that memory stays small.

Why several ranges at once get the whole file: HTTP allows it, players and download tools request one range, and an answer in
several parts would be a second way to send a file.
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator
from functools import partial
from typing import BinaryIO, Final
from urllib.parse import quote

import msgspec
from litestar.datastructures import Headers

from app.api.responses.streaming import StreamingResponse
from app.core.errors import StoreFailed, UnsatisfiableRange

PIECE_BYTES: Final = 262_144

_RANGE: Final = re.compile(r"bytes=\s*(\d{0,30})-(\d{0,30})\s*", re.IGNORECASE | re.ASCII)
_MAX_NAME_BYTES: Final = 150
_UNSAFE: Final = '<>:"/\\|?*%'
"""Characters that some systems do not accept in a file name."""


class Span(msgspec.Struct, frozen=True):
    """A range of bytes in a file."""

    start: int
    n_bytes: int

    @property
    def end(self) -> int:
        """Exclusive end index."""
        return self.start + self.n_bytes


def is_known(headers: Headers, etag: str) -> bool:
    """Whether the client already has the file with this tag (`If-None-Match`)."""
    known = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return f'"{etag}"' in known or "*" in known


def wanted_span(headers: Headers, etag: str, n_bytes: int) -> Span | None:
    """The requested range; None for the whole file. Raises UnsatisfiableRange for a range after the end of the file.

    A header that is not exactly one range of bytes is ignored, and so is a range of another version (`If-Range`).
    """
    match = _RANGE.fullmatch(headers.get("range", ""))
    if match is None or headers.get("if-range", f'"{etag}"').strip() != f'"{etag}"':
        return None
    first, last = match[1], match[2]
    if not first and not last:
        return None
    if not first:
        start, end = max(0, n_bytes - int(last)), n_bytes
    else:
        start, end = int(first), min(int(last) + 1, n_bytes) if last else n_bytes
        if last and int(last) < start:
            return None
    if start >= end:
        raise UnsatisfiableRange(n_bytes)
    return Span(start, end - start)


def disposition(title: str | None, suffix: str) -> str:
    """`Content-Disposition` with a file name made from a title, safe on every system, in both notations (RFC 6266).

    `suffix`: the ending of the name, without a dot.
    """
    name = _safe_name(title or "") or "speech"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip(" .") or "speech"
    value = f'attachment; filename="{plain}.{suffix}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(f'{name}.{suffix}', safe='')}"


class StoredFile(StreamingResponse):
    """Sends a span of an open file, and closes the file."""

    def __init__(self, file: BinaryIO, span: Span, *, status_code: int, media_type: str, headers: dict[str, str]) -> None:
        super().__init__(
            _read_pieces(file, span),
            media_type=media_type,
            headers={**headers, "content-type": media_type, "content-length": str(span.n_bytes)},
            close=partial(asyncio.to_thread, file.close),
            status_code=status_code,
            n_bytes=span.n_bytes,
        )


async def _read_pieces(file: BinaryIO, span: Span) -> AsyncGenerator[bytes, None]:
    """Yields the span in pieces. Raises StoreFailed when the file ends before the span does."""
    await asyncio.to_thread(file.seek, span.start)
    n_left = span.n_bytes
    while n_left:
        piece = await asyncio.to_thread(file.read, min(n_left, PIECE_BYTES))
        if not piece:
            raise StoreFailed("The file is shorter than it was.")
        n_left -= len(piece)
        yield piece


def _safe_name(title: str) -> str:
    """The title as one line, without characters that a file system or a shell treats specially; may be empty."""
    characters = ("_" if char in _UNSAFE or unicodedata.category(char)[0] == "C" else char for char in title)
    name = " ".join("".join(characters).split())
    return name.encode()[:_MAX_NAME_BYTES].decode(errors="ignore").strip(" .")
