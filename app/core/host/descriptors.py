"""The number of files that this process may have open: connections are files, and so are pipes to encoders.

Why the limit is raised: the initial limit of most systems (often 1,024) is meant for programs that index a table of that size
by file number. Systems allow more.
"""

import errno
import os
import resource
from contextlib import suppress
from typing import Final

_ENOUGH: Final = 1_048_576
"""More is of no use, and some child programs loop up to the limit."""
_PLENTY: Final = 10_240
"""The number that macOS allows when it reports no limit."""


def raise_limit() -> int:
    """Raises this process's limit as far as the system allows, and returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (_ENOUGH if _is_below(_ENOUGH, hard) else hard, _PLENTY):
        if _is_below(soft, wanted):
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                break
    return limit()


def limit() -> int:
    """The current limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else _PLENTY


def are_left() -> bool:
    """Whether one more file can be opened."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in (errno.EMFILE, errno.ENFILE)
    return True


def _is_below(soft: int, wanted: int) -> bool:
    return soft != resource.RLIM_INFINITY and (wanted == resource.RLIM_INFINITY or soft < wanted)
