"""Checks at each step of preparing a text whether it is still wanted, so that an unwanted text takes no time from others.

Why a context variable and not a parameter: texts are prepared through engines and G2Ps, each with its own signature, and always
in the thread that asked for the next segment.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_looks: Final[ContextVar[Callable[[], None] | None]] = ContextVar("looks", default=None)
_is_brief: Final = ContextVar("is_brief", default=False)
"""True while this thread holds something that others wait for. `look` then checks nothing, since a check may ask Redis."""


@contextmanager
def looking(check: Callable[[], None] | None) -> Iterator[None]:
    """Makes `look` call `check` in this thread; an exception from `check` ends the preparation. None: nothing is called."""
    token = _looks.set(check)
    try:
        yield
    finally:
        _looks.reset(token)


def look() -> None:
    """To be called wherever the preparation of a text begins another step. Raises Cancelled when the text is unwanted."""
    if not _is_brief.get():
        look_while_waiting()


@contextmanager
def briefly() -> Iterator[None]:
    """Makes `look` do nothing while this thread holds something that others wait for; `look_while_waiting` still checks."""
    token = _is_brief.set(True)
    try:
        yield
    finally:
        _is_brief.reset(token)


def look_while_waiting() -> None:
    """Like `look`, but also checks within `briefly`; for a caller that has waited so long that a check costs little."""
    check = _looks.get()
    if check is not None:
        check()
