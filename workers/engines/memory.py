"""Returns freed memory to the system, and turns the memory errors of an engine into OutOfMemory.

Why memory must be returned explicitly: GNU's C library keeps the freed memory of each thread in an arena. So a worker with
dozens of threads would grow over thousands of requests, although it does not use more memory.
"""

import ctypes
from collections.abc import Callable
from typing import Final, Protocol, TypeVar
from weakref import WeakSet

from app.core.errors import OutOfMemory

_LIBC: Final = ctypes.CDLL(None)

_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1
"""GNU's numbers of these options."""
_N_ARENAS: Final = 2
"""Arenas for all threads. In an arena of its own, each of a worker's fifty threads keeps memory that it has freed."""
_LARGE_BYTES: Final = 2 << 20
"""Blocks from this size on return to the system when they are freed: the signals of a whole segment. By default GNU's library
keeps such blocks after the first one of their size was freed, and what lies between them keeps them apart.
"""
_KEPT_BYTES: Final = 8 << 20
"""Free bytes that an arena keeps at its end, so that the smaller blocks of the next step need no page faults."""

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


def share_memory() -> None:
    """Lets all threads that start later allocate from the same arenas, and large blocks return to the system, if the C library
    supports it.
    """
    set_option = getattr(_LIBC, "mallopt", None)
    if set_option is not None:
        set_option(_M_ARENA_MAX, _N_ARENAS)
        set_option(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        set_option(_M_TRIM_THRESHOLD, _KEPT_BYTES)


class Reserve(Protocol):
    """Memory that is kept for its next use."""

    def free_unused(self) -> None:
        """Frees what nobody has used for a while. Any thread may call it."""
        ...


_reserves: Final[WeakSet[Reserve]] = WeakSet()


def watch_reserve(reserve: Reserve) -> None:
    """From now on `return_memory` frees what is unused in `reserve`."""
    _reserves.add(reserve)


def return_memory() -> None:
    """Frees what is unused in all reserves, and returns free memory to the system if the C library supports it. Takes
    milliseconds.
    """
    for reserve in list(_reserves):
        reserve.free_unused()
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
