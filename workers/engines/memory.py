"""Returns freed memory to the system, and turns the memory errors of an engine into OutOfMemory.

Why memory must be returned explicitly: GNU's C library keeps the freed memory of each thread in an arena. So a worker with
dozens of threads would grow over thousands of requests, although it does not use more memory.
"""

import ctypes
from collections.abc import Callable
from typing import Final, TypeVar

from app.core.errors import OutOfMemory

_LIBC: Final = ctypes.CDLL(None)

_M_ARENA_MAX: Final = -8
"""Number of GNU's option for the most arenas."""
_N_ARENAS: Final = 2

_T = TypeVar("_T")


def is_memory_error(error: Exception) -> bool:
    """Whether it is Python's MemoryError, which some libraries raise too."""
    return isinstance(error, MemoryError)


def or_out_of_memory(speak: Callable[[], _T], *, is_shortage: Callable[[Exception], bool] = is_memory_error) -> _T:
    """Returns the result of `speak`. Raises OutOfMemory instead of an error for which `is_shortage` returns True."""
    try:
        return speak()
    except Exception as error:  # third party: each library has its own error for a lack of memory
        if not is_shortage(error):
            raise
    # Outside the handler: otherwise the traceback would keep the allocated memory while the segment is tried again.
    raise OutOfMemory


def share_arenas() -> None:
    """Lets all threads that start later allocate from two arenas, if the C library supports it. In an arena of its own, each of
    a worker's fifty threads keeps memory that it has freed.
    """
    set_option = getattr(_LIBC, "mallopt", None)
    if set_option is not None:
        set_option(_M_ARENA_MAX, _N_ARENAS)


def return_memory() -> None:
    """Returns free memory to the system if the C library supports it. Takes milliseconds."""
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
