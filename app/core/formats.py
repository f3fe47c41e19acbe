"""mp3, opus, aac, flac, wav, pcm: container, codec, media type and rate, in one table that both sides read."""

from typing import Final

import msgspec

SAMPLE_RATE_HZ: Final = 24_000
"""Of every waveform and every file: Kokoro speaks at 24 kHz, and OpenAI's pcm and wav are 24 kHz."""

SAMPLE_BYTES: Final = 2
"""Signed 16-bit little-endian, one channel."""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One `response_format`."""

    name: str
    media_type: str
    container: str
    """ffmpeg's muxer, or `""` where no encoder process is needed."""
    codec: str = ""
    """ffmpeg's encoder."""
    bitrate_bps: int = 0
    """Of the encoded stream; 0 where the codec decides."""
    header: bytes = b""
    """What stands before the first sample when no encoder writes it."""

    @property
    def is_encoded(self) -> bool:
        """True where the samples pass through an encoder process."""
        return bool(self.codec)


WAV_STREAM_HEADER: Final = bytes.fromhex(
    "52494646ffffffff57415645666d74201000000001000100c05d000080bb00000200100064617461ffffffff"
)
"""RIFF header of 44 bytes for a stream whose length is not known: both sizes are FFFFFFFF, as OpenAI sends it."""

FORMATS: Final[dict[str, Format]] = {
    entry.name: entry
    for entry in (
        Format(name="mp3", media_type="audio/mpeg", container="mp3", codec="libmp3lame", bitrate_bps=128_000),
        Format(name="opus", media_type="audio/opus", container="ogg", codec="libopus", bitrate_bps=64_000),
        Format(name="aac", media_type="audio/aac", container="adts", codec="aac", bitrate_bps=96_000),
        Format(name="flac", media_type="audio/flac", container="flac", codec="flac"),
        Format(name="wav", media_type="audio/wav", container="", header=WAV_STREAM_HEADER),
        Format(name="pcm", media_type="audio/pcm", container=""),
    )
}

DEFAULT_FORMAT: Final = "mp3"
