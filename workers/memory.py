"""Memory that was freed, given back to the system.

Why it must be asked for: GNU's C library keeps what threads have freed in arenas of their own, so a worker with dozens of
threads would grow for thousands of requests although nothing in it does.
"""

import ctypes
from typing import Final

_LIBC: Final = ctypes.CDLL(None)


def return_memory() -> None:
    """Gives back what is free, where the C library would keep it. Takes milliseconds."""
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
