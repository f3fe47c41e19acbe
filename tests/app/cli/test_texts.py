"""Texts in any encoding of Unicode are read; for other data the error says what it is."""

import codecs

import pytest

from app.cli.texts import decode_text

TEXTS = ["Hello there.\nA second line.", "Schöne Grüße aus Köln.", "日本語の文です。 そして次。\n", "Привет, мир."]
ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16": b"",
    "utf-32": b"",
    "utf-16-le": b"",
    "utf-16-be": b"",
    "utf-16-be with its mark": codecs.BOM_UTF16_BE,
    "utf-32-be with its mark": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_text_is_read_in_every_encoding_of_unicode(text: str, encoding: str) -> None:
    data = ENCODINGS[encoding] + text.encode(encoding.partition(" ")[0])
    assert decode_text(data, "book.txt") == text


BINARY = {
    "book.pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
    "book.epub": (b"PK\x03\x04\x14\x00\x00\x08\xff\xfe\xfd", "EPUB"),
    "book.mp3": (b"ID3\x04\x00\xff\xfb\x90", "audio"),
    "latin-1.txt": ("Köln".encode("latin-1"), "UTF-8"),
    "zeros.txt": (b"Hello\0\0\0\0there", "UTF-8"),
    "program.bin": (bytes(range(256)) * 4, "UTF-8"),
}


@pytest.mark.parametrize("name", BINARY)
def test_the_error_for_a_file_that_is_no_text_names_its_kind(name: str) -> None:
    data, says = BINARY[name]
    with pytest.raises(ValueError, match=f"{name} is .*{says}"):
        decode_text(data, name)
