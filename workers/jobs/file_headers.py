"""Writes the parts of a file that encoders do not write well: wav's header, tags and chapters, the exact length of an mp3.

Why an mp3's length is corrected: ffmpeg stores an end padding of at most one frame. If it is a little longer, players would
play up to two milliseconds too much.
"""

import struct
from pathlib import Path
from typing import Final

import msgspec

from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from app.core.speech.titles import show_title

_MPEG_1_HZ: Final = 32_000
"""From this rate on, mp3 frames have twice as many samples and more side information."""

_MAX_RIFF_BYTES: Final = 0xFFFF_FFFE
"""Largest RIFF; a larger file is an RF64."""
_MAX_CHAP_FRAMES: Final = 255
"""Most entries in an ID3 table of contents; an mp3 of a text with more chapters has no chapters."""
_ID3_HEADER_BYTES: Final = 10
_HEADER_BYTES: Final = 4
_CUT_AT, _CRC_AT, _CRC_BYTES = 141, 154, 190
"""Offsets from the word `Info` in the first frame: delay and padding (two numbers of 12 bits), and the checksum. _CRC_BYTES is
the number of bytes that the checksum covers.
"""


class Tags(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself; each None where it is unknown."""

    title: str | None = None
    author: str | None = None


class Mark(msgspec.Struct, frozen=True):
    """Position of a chapter, in samples."""

    start: int
    end: int
    title: str


def wav_header(n_bytes: int, title: str | None, sample_rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """Returns the header before `n_bytes` of samples: RIFF, or RF64 if they are too many for RIFF, with the title as INAM.

    A title that is not ASCII is written in UTF-8, as ffmpeg reads it. An ID3 chunk repeats it, for readers such as
    music-metadata, which read INAM as Latin-1 and prefer ID3.
    """
    info = _chunk(b"INFO" + _chunk(title.encode() + b"\0", b"INAM"), b"LIST") if title else b""
    if title and not title.isascii():
        info += _chunk(_id3(title), b"id3 ")
    rate = struct.pack("<HHIIHH", 1, 1, sample_rate_hz, sample_rate_hz * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    body = b"WAVE" + _chunk(rate, b"fmt ") + info
    n_riff_bytes = len(body) + 8 + n_bytes
    if n_riff_bytes <= _MAX_RIFF_BYTES:
        return struct.pack("<4sI", b"RIFF", n_riff_bytes) + body + struct.pack("<4sI", b"data", n_bytes)
    sizes = struct.pack("<QQQI", n_riff_bytes + 36, n_bytes, n_bytes // SAMPLE_BYTES, 0)
    unknown = 0xFFFF_FFFF
    body = b"WAVE" + _chunk(sizes, b"ds64") + body.removeprefix(b"WAVE")
    return struct.pack("<4sI", b"RF64", unknown) + body + struct.pack("<4sI", b"data", unknown)


def _chunk(data: bytes, name: bytes) -> bytes:
    return struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2)


def _id3(title: str) -> bytes:
    """Returns an ID3v2.3 tag with the title."""
    text = b"\x01\xff\xfe" + title.encode("utf-16-le")
    frame = b"TIT2" + struct.pack(">IH", len(text), 0) + text
    size = bytes(len(frame) >> 7 * place & 0x7F for place in (3, 2, 1, 0))
    return b"ID3\x03\0\0" + size + frame


def correct_mp3_length(path: Path, n_samples: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
    """Writes the length `n_samples` to the file's Info frame. A file without an Info frame is not changed."""
    frame_samples, info_at = mp3_frame(sample_rate_hz)
    with path.open("r+b") as file:
        header = file.read(_ID3_HEADER_BYTES)
        start = _ID3_HEADER_BYTES + _syncsafe(header[6:]) if header.startswith(b"ID3") else 0
        file.seek(start)
        frame = bytearray(file.read(_CRC_BYTES))
        if frame[info_at : info_at + 4] != b"Info":
            return
        cut_at, crc_at = info_at + _CUT_AT, info_at + _CRC_AT
        (n_frames,) = struct.unpack_from(">I", frame, info_at + 8)
        delay = int.from_bytes(frame[cut_at : cut_at + 3], "big") >> 12
        padding = n_frames * frame_samples - delay - n_samples
        if not 0 <= padding < 1 << 12:
            return
        frame[cut_at : cut_at + 3] = (delay << 12 | padding).to_bytes(3, "big")
        frame[crc_at : crc_at + 2] = bytes(2)
        frame[crc_at : crc_at + 2] = _crc(frame).to_bytes(2, "big")
        file.seek(start)
        file.write(frame)


def mp3_frame(sample_rate_hz: int) -> tuple[int, int]:
    """Returns the samples of a frame, and the bytes in it before `Info`: header and side information of one channel."""
    return (1152, _HEADER_BYTES + 17) if sample_rate_hz >= _MPEG_1_HZ else (576, _HEADER_BYTES + 9)


def _syncsafe(size: bytes) -> int:
    """Decodes a number of four bytes with seven bits each."""
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(size)))


def _crc(data: bytes | bytearray) -> int:
    """Returns the CRC-16 of LAME's header (polynomial 8005, reflected)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def tags_of(format_name: str, tags: Tags, chapters: list[Mark]) -> str:
    """Returns the tags in ffmpeg's format: chapters as a track for m4b, as ID3 frames for mp3, as named comments for flac and
    opus.
    """
    lines = [";FFMETADATA1", *(f"{name}={_escape(text)}" for name, text in _texts_of(format_name, tags) if text)]
    if format_name == "m4b" or (format_name == "mp3" and len(chapters) <= _MAX_CHAP_FRAMES):
        for mark in chapters:
            lines += ["[CHAPTER]", f"TIMEBASE=1/{SAMPLE_RATE_HZ}", f"START={mark.start}", f"END={mark.end}"]
            lines.append(f"title={_escape(mark.title)}")
    elif format_name in ("flac", "opus"):
        for number, mark in enumerate(chapters, start=1):
            lines.append(f"CHAPTER{number:03}={_clock(mark.start)}")
            lines.append(f"CHAPTER{number:03}NAME={_escape(mark.title)}")
    return "\n".join(lines) + "\n"


def _texts_of(format_name: str, tags: Tags) -> list[tuple[str, str | None]]:
    """Returns names and values of the tags. An audiobook is an album of its title: players sort and group by that."""
    named = [("title", tags.title), ("artist", tags.author)]
    return named + [("album", tags.title), ("genre", "Audiobook"), ("media_type", "2")] * (format_name == "m4b")


def _escape(text: str) -> str:
    # ffmpeg reads a backslash at the end of a line as a continuation, even if it is escaped.
    return "".join(f"\\{char}" if char in "=;#\\" else char for char in show_title(text).rstrip("\\ "))


def _clock(n_samples: int) -> str:
    milliseconds = round(n_samples * 1000 / SAMPLE_RATE_HZ)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
