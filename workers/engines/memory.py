"""Memory that was freed, given back to the system; and memory that an engine did not find, told as OutOfMemory.

Why it must be asked for: GNU's C library keeps what threads have freed in arenas of their own, so a worker with dozens of
threads would grow for thousands of requests although nothing in it does.
"""

import ctypes
from collections.abc import Callable
from typing import Final, TypeVar

from app.core.errors import OutOfMemory

_LIBC: Final = ctypes.CDLL(None)

_T = TypeVar("_T")


def is_memory_error(error: Exception) -> bool:
    """Whether Python, or a library that raises what Python does, found no memory."""
    return isinstance(error, MemoryError)


def or_out_of_memory(speak: Callable[[], _T], *, is_shortage: Callable[[Exception], bool] = is_memory_error) -> _T:
    """What `speak` returns. Raises OutOfMemory in place of what it raises where `is_shortage` says so."""
    try:
        return speak()
    except Exception as error:  # third party: each library has an error of its own for a lack of memory
        if not is_shortage(error):
            raise
    # Not within the handler: the traceback would hold what was allocated while the segment is tried again.
    raise OutOfMemory


def return_memory() -> None:
    """Gives back what is free, where the C library would keep it. Takes milliseconds."""
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
