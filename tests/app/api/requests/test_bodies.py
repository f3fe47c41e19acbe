"""Bodies that clients compress or encode: which are read, which are refused, and that none becomes larger than its limit."""

import gzip
import json
import zlib
from collections.abc import Callable

import pytest

from app.api.requests.bodies import decompress, to_utf8
from app.api.requests.fields import read_object
from app.core.errors import RequestTooLarge, UnreadableBody, UnsupportedEncoding

JSON = "application/json"
FIELDS = {"input": "早上好 🙂 é"}
BODY = json.dumps(FIELDS, ensure_ascii=False).encode()
LIMIT = 1000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
        ("", bytes),
    ],
)
def test_a_compressed_body_is_decompressed(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    assert decompress(encoding, pack(BODY), LIMIT) == BODY


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x" * 1000])
def test_a_compression_that_is_not_known_is_named(encoding: str) -> None:
    with pytest.raises(UnsupportedEncoding, match="'gzip' or 'deflate'") as caught:
        decompress(encoding, BODY, LIMIT)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("body", [BODY, b"", b"\x1f\x8b", b"\x78\x9c"])
def test_a_body_that_is_not_compressed_as_declared_is_refused(encoding: str, body: bytes) -> None:
    with pytest.raises(UnreadableBody, match=f"with {encoding}"):
        decompress(encoding, body, LIMIT)


def test_a_compressed_body_that_is_truncated_or_too_long_is_refused() -> None:
    packed = gzip.compress(BODY)
    with pytest.raises(UnreadableBody, match="cut off"):
        decompress("gzip", packed[:-1], LIMIT)
    with pytest.raises(UnreadableBody, match="after the end"):
        decompress("gzip", packed + packed, LIMIT)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw_deflate])
def test_a_body_never_becomes_larger_than_the_limit(pack: Callable[[bytes], bytes]) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"
    assert decompress(encoding, pack(bytes(LIMIT)), LIMIT) == bytes(LIMIT)
    with pytest.raises(RequestTooLarge, match=f"The limit is {LIMIT} bytes"):
        decompress(encoding, pack(bytes(LIMIT + 1)), LIMIT)
    with pytest.raises(RequestTooLarge):
        decompress(encoding, pack(bytes(50_000_000)), LIMIT)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_json_is_read_in_every_form_of_unicode(encoding: str) -> None:
    assert read_object(JSON, to_utf8(BODY.decode().encode(encoding))) == FIELDS


def test_half_a_character_of_utf_16_is_no_reason_to_refuse_the_rest() -> None:
    body = '{"input": "Well done \ud83d"}'.encode("utf-16", "surrogatepass")
    assert read_object(JSON, to_utf8(body)) == {"input": "Well done \ufffd"}


@pytest.mark.parametrize("body", ['{"input": "é"}'.encode("latin-1"), b"\xef\xbb\xbf{\xff}", b"\xff\xfe{", b"\x00", b""])
def test_a_body_that_is_no_json_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read_object(JSON, to_utf8(body))
