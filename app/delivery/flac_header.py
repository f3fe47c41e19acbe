"""The length of a flac that was sent before it was known: written into the header of one that is finished.

Why it matters: libsndfile takes a flac without a number of samples for one of 2^63, and refuses it.
"""

from typing import Final

_MARK: Final = b"fLaC"
_TOTAL_AT: Final = 21
_TOTAL_BYTES: Final = 5
"""In STREAMINFO, the first block of the file: 4 bits of something else, then the 36 bits of the number of samples."""
_TOTAL_BITS: Final = 36


def tell_length(beginning: bytes, n_samples: int) -> bytes:
    """The first bytes of a flac, with its number of samples in them. What is no flac, too short or too long stays as it is."""
    end = _TOTAL_AT + _TOTAL_BYTES
    if not beginning.startswith(_MARK) or len(beginning) < end or n_samples >> _TOTAL_BITS:
        return beginning
    other_bits = int.from_bytes(beginning[_TOTAL_AT:end], "big") >> _TOTAL_BITS << _TOTAL_BITS
    return beginning[:_TOTAL_AT] + (other_bits | n_samples).to_bytes(_TOTAL_BYTES, "big") + beginning[end:]
