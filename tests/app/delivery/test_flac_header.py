"""The length in the header of a flac."""

import io
import struct

import pytest
import soundfile

from app.delivery.flac_header import write_length
from tests.audio import ffmpeg
from workers.synthesis.encoder import open_encoder


def a_flac(n_samples: int, rate_hz: int = 24_000) -> bytes:
    said: list[bytes] = []
    with open_encoder(ffmpeg(), "flac", 0, said.append, sample_rate_hz=rate_hz) as encoder:
        encoder.write(struct.pack(f"<{n_samples}h", *(number % 999 for number in range(n_samples))))
        encoder.finish()
    return b"".join(said)


@pytest.mark.parametrize("n_samples", [6000, 24_000, 99_999])
def test_the_length_is_what_libsndfile_reads(n_samples: int) -> None:
    streamed = a_flac(n_samples)
    sized = write_length(streamed, n_samples)

    assert soundfile.info(io.BytesIO(streamed)).frames > 2**60
    assert soundfile.info(io.BytesIO(sized)).frames == n_samples
    assert len(soundfile.read(io.BytesIO(sized), dtype="int16")[0]) == n_samples
    assert (sized[:21], sized[26:]) == (streamed[:21], streamed[26:])
    assert sized[21] >> 4 == streamed[21] >> 4


@pytest.mark.parametrize("beginning", [b"", b"fLaC", b"OggS" + bytes(60), b"fLaC" + bytes(21)])
def test_data_that_is_no_beginning_of_a_flac_stays_as_it_is(beginning: bytes) -> None:
    assert write_length(beginning, 5) == beginning


def test_a_length_that_does_not_fit_is_not_written() -> None:
    streamed = a_flac(100)
    assert write_length(streamed, 2**36) == streamed
