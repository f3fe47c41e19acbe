"""The formats: container, codec, media type, and the sample rates and bitrates of each, in one table that both sides use.

Why m4b is a format of jobs alone: its index stands before the audio and lists all of it, so it cannot be streamed.
"""

from typing import Final

import msgspec

SAMPLE_RATE_HZ: Final = 24_000
"""The rate of every waveform, and the default of every file: Kokoro speaks at 24 kHz, and OpenAI's files are 24 kHz."""

SAMPLE_BYTES: Final = 2
"""Signed 16-bit little-endian, one channel."""

SAMPLE_RATES_HZ: Final = (8_000, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""The rates that a request may name, if the format supports them."""

_OPUS_RATES_HZ: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
_TELEPHONE_RATES_HZ: Final = (8_000, 16_000, 24_000)

_MP3_BITRATES_BPS: Final = {
    2.5: tuple(1000 * kbps for kbps in (8, 16, 24, 32, 40, 48, 56, 64)),
    2: tuple(1000 * kbps for kbps in (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)),
    1: tuple(1000 * kbps for kbps in (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)),
}
"""Bitrates by version of MPEG; each version has its own sample rates. For MPEG 2.5 LAME supports no higher bitrates."""
_MPEG_2_HZ: Final = 16_000
_MPEG_1_HZ: Final = 32_000
"""The lowest sample rate of each version."""


class Bitrates(msgspec.Struct, frozen=True):
    """Bits per second that an encoder accepts: the values of a table, or all values from the least to the most."""

    least: int
    most: int
    table: tuple[int, ...] = ()

    def __contains__(self, bitrate_bps: object) -> bool:
        if self.table:
            return bitrate_bps in self.table
        return isinstance(bitrate_bps, int) and self.least <= bitrate_bps <= self.most

    def __str__(self) -> str:
        """The bitrates as a message shows them."""
        return f"{', '.join(map(str, self.table[:-1]))}, and {self.most}" if self.table else f"{self.least} to {self.most}"


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One `response_format`."""

    name: str
    media_type: str
    """The media type at the format's default sample rate."""
    rate_media_type: str = ""
    """The media type at another rate, for formats whose bytes do not contain the rate; the rate is its parameter."""
    container: str
    """ffmpeg's muxer; `""` when no encoder process is needed."""
    codec: str = ""
    """ffmpeg's encoder; for `ulaw` and `alaw` the encoder is Koe's own."""
    bitrate_bps: int = 0
    """Default bitrate of the encoded stream; 0 when the codec decides."""
    sample_rate_hz: int = SAMPLE_RATE_HZ
    """Default sample rate."""
    sample_rates_hz: tuple[int, ...] = SAMPLE_RATES_HZ
    has_wav_header: bool = False
    """Whether a RIFF header precedes the first sample."""
    silent_sample: bytes = b""
    """A sample of silence, in a format of bare samples; several such streams, one after the other, are one stream."""

    @property
    def is_encoded(self) -> bool:
        """True when an encoder process encodes the samples."""
        return bool(self.container)

    def media_type_at(self, sample_rate_hz: int) -> str:
        """The media type at that rate."""
        if sample_rate_hz == self.sample_rate_hz or not self.rate_media_type:
            return self.media_type
        return f"{self.rate_media_type};rate={sample_rate_hz}"

    def bitrates_at(self, sample_rate_hz: int) -> Bitrates | None:
        """The bitrates that a request may name at that rate; None when the codec decides."""
        if self.name == "mp3":
            version = 1 if sample_rate_hz >= _MPEG_1_HZ else 2 if sample_rate_hz >= _MPEG_2_HZ else 2.5
            table = _MP3_BITRATES_BPS[version]
            return Bitrates(table[0], table[-1], table)
        if self.name == "opus":
            return Bitrates(6_000, 256_000)
        if self.codec == "aac":
            # A frame of 1,024 samples has at most 6,144 bits.
            return Bitrates(8_000, 6 * sample_rate_hz)
        return None


def n_samples_at(sample_rate_hz: int, seconds: float) -> int:
    """Number of samples of audio at that rate: it is spoken in whole samples at SAMPLE_RATE_HZ and then resampled."""
    return round(round(seconds * SAMPLE_RATE_HZ) * sample_rate_hz / SAMPLE_RATE_HZ)


def wav_stream_header(sample_rate_hz: int) -> bytes:
    """RIFF header of 44 bytes for a stream of unknown length: both sizes are FFFFFFFF, as in OpenAI's streams."""
    unknown = b"\xff\xff\xff\xff"
    rates = sample_rate_hz.to_bytes(4, "little") + (SAMPLE_BYTES * sample_rate_hz).to_bytes(4, "little")
    return (
        b"RIFF"
        + unknown
        + b"WAVEfmt "
        + bytes.fromhex("1000000001000100")
        + rates
        + bytes.fromhex("02001000")
        + b"data"
        + unknown
    )


FORMATS: Final[dict[str, Format]] = {
    entry.name: entry
    for entry in (
        Format(name="mp3", media_type="audio/mpeg", container="mp3", codec="libmp3lame", bitrate_bps=128_000),
        Format(
            name="opus",
            media_type="audio/opus",
            container="ogg",
            codec="libopus",
            bitrate_bps=64_000,
            sample_rates_hz=_OPUS_RATES_HZ,
        ),
        Format(name="aac", media_type="audio/aac", container="adts", codec="aac", bitrate_bps=96_000),
        Format(name="flac", media_type="audio/flac", container="flac", codec="flac"),
        Format(name="wav", media_type="audio/wav", container="", has_wav_header=True),
        Format(name="pcm", media_type="audio/pcm", rate_media_type="audio/pcm", container="", silent_sample=b"\0\0"),
        Format(
            name="ulaw",
            media_type="audio/basic",
            rate_media_type="audio/PCMU",
            container="",
            codec="ulaw",
            silent_sample=b"\xff",
            sample_rate_hz=8_000,
            sample_rates_hz=_TELEPHONE_RATES_HZ,
        ),
        Format(
            name="alaw",
            media_type="audio/x-alaw-basic",
            rate_media_type="audio/PCMA",
            container="",
            codec="alaw",
            silent_sample=b"\xd5",
            sample_rate_hz=8_000,
            sample_rates_hz=_TELEPHONE_RATES_HZ,
        ),
    )
}
"""OpenAI's six formats, then the formats of telephony (G.711)."""

OPENAI_FORMATS: Final = tuple(FORMATS)[:6]

JOB_FORMATS: Final = FORMATS | {
    "m4b": Format(name="m4b", media_type="audio/mp4", container="ipod", codec="aac", bitrate_bps=96_000),
}
"""The formats of jobs: all of these, and a file for audiobooks with chapters and a cover. ffmpeg's muxer of m4a and m4b is
`ipod`.
"""

COVER_FORMAT: Final = "m4b"
"""The format whose files have a cover."""

DEFAULT_FORMAT: Final = "mp3"
