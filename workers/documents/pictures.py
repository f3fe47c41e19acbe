"""Recognises pictures that files of audio can have as their cover, by their bytes, without decoding them.

Why the size is checked here: a few bytes can claim a picture of gigabytes, and whoever shows it would run out of memory.
"""

from typing import Final

from workers.documents.book import MAX_COVER_BYTES, Picture

_MAX_SIDE: Final = 10_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that are followed by the size of the picture."""
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers that nothing belongs to."""


def read_picture(data: bytes) -> Picture | None:
    """The picture, if it is a JPEG or a PNG of a sensible size."""
    if not data or len(data) > MAX_COVER_BYTES:
        return None
    for start, media_type, size_of in ((_PNG, "image/png", _size_of_png), (_JPEG, "image/jpeg", _size_of_jpeg)):
        if data.startswith(start):
            size = size_of(data)
            return Picture(media_type, data) if size and all(0 < side <= _MAX_SIDE for side in size) else None
    return None


def _size_of_png(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 33:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _size_of_jpeg(data: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _SIZES:
            return int.from_bytes(data[place + 7 : place + 9], "big"), int.from_bytes(data[place + 5 : place + 7], "big")
        if marker in _ALONE or marker == 0xFF:
            place += 1 if marker == 0xFF else 2
        else:
            place += 2 + max(2, int.from_bytes(data[place + 2 : place + 4], "big"))
    return None
