"""Writes the length of a finished flac into its header, which was encoded before the length was known.

Why it matters: libsndfile reads a missing number of samples as 2^63, and refuses the file.
"""

from typing import Final

_MARK: Final = b"fLaC"
_TOTAL_AT: Final = 21
_TOTAL_BYTES: Final = 5
"""Bytes in STREAMINFO, the first block of the file: 4 other bits, then the 36 bits of the number of samples."""
_TOTAL_BITS: Final = 36


def write_length(beginning: bytes, n_samples: int) -> bytes:
    """Returns the first bytes of a flac with its number of samples. Returns `beginning` unchanged if it is no flac, or too
    short, or if the number is too large for the header.
    """
    end = _TOTAL_AT + _TOTAL_BYTES
    if not beginning.startswith(_MARK) or len(beginning) < end or n_samples >> _TOTAL_BITS:
        return beginning
    other_bits = int.from_bytes(beginning[_TOTAL_AT:end], "big") >> _TOTAL_BITS << _TOTAL_BITS
    return beginning[:_TOTAL_AT] + (other_bits | n_samples).to_bytes(_TOTAL_BYTES, "big") + beginning[end:]
