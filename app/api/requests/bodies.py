"""The body of a request as JSON in UTF-8. Clients send it with gzip or deflate, in UTF-16, or with a byte order mark.

Why the limit is for the decompressed body: a few thousand bytes can become millions.

Why a body of several gzip members is refused: no known client sends one, and each member costs a new decompressor.
"""

import codecs
import json
import zlib
from typing import Any, Final

from litestar import Request

from app.api.requests.fields import read_object
from app.core.errors import RequestTooLarge, UnreadableBody, UnsupportedEncoding

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_ZLIB_MARK: Final = 8
"""The lower half of the first byte of a zlib header. Some clients send deflate without that header."""


async def read_fields(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The fields of a request: the JSON object in its body.

    Raises as `read_object` does; UnsupportedEncoding for an unknown compression; UnreadableBody for a body that is not
    compressed as its header says; RequestTooLarge for one whose decompressed size exceeds the limit of its route.
    """
    body = await request.body()
    limit_bytes = request.route_handler.resolve_request_max_body_size() or 0
    plain = decompress(request.headers.get("content-encoding", ""), body, limit_bytes)
    return read_object(request.headers.get("content-type"), to_utf8(plain))


def decompress(encoding: str, body: bytes, limit_bytes: int) -> bytes:
    """The body without its compression. Raises as `read_fields` does."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise UnsupportedEncoding(name)
    decompressor = zlib.decompressobj(_window(name, body))
    try:
        plain = decompressor.decompress(body, limit_bytes + 1)
    except zlib.error:
        raise UnreadableBody(f"It is not compressed with {name}, as its Content-Encoding says.") from None
    if len(plain) > limit_bytes:
        raise RequestTooLarge(limit_bytes)
    if not decompressor.eof:
        raise UnreadableBody(f"Its compression with {name} is cut off before the end.")
    if decompressor.unused_data:
        raise UnreadableBody(f"More data comes after the end of the {name} data.")
    return plain


def to_utf8(body: bytes) -> bytes:
    """JSON in UTF-8 and without a byte order mark; half a character of UTF-16 becomes U+FFFD."""
    encoding = json.detect_encoding(body)
    if encoding.startswith("utf-8"):
        return body.removeprefix(codecs.BOM_UTF8)
    return body.decode(encoding, "replace").encode()


def _window(name: str, body: bytes) -> int:
    if name != "deflate":
        return _GZIP
    return _ZLIB if body[:1] and body[0] & 0x0F == _ZLIB_MARK else _RAW
