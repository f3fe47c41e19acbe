"""Whether the text in hand is still wanted: asked at each step of preparing it, so that nobody's text takes the others' time.

Why a context and no parameter: what reads a text is called through engines and G2Ps, each with a signature of its own, and all
of it in the thread of whoever asked for the next segment.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_looks: Final[ContextVar[Callable[[], None] | None]] = ContextVar("looks", default=None)
_is_brief: Final = ContextVar("is_brief", default=False)
"""Whether others wait for what this thread holds: to look may be to ask Redis."""


@contextmanager
def looking(check: Callable[[], None] | None) -> Iterator[None]:
    """Has `look` call `check` in this thread; what that raises ends the preparation. None: nothing is called."""
    token = _looks.set(check)
    try:
        yield
    finally:
        _looks.reset(token)


def look() -> None:
    """To be called wherever preparing a text begins another step. Raises Cancelled when the text is not wanted any more."""
    if not _is_brief.get():
        look_while_waiting()


@contextmanager
def briefly() -> Iterator[None]:
    """Has `look` do nothing in this thread while it holds what others wait for; `look_while_waiting` still looks."""
    token = _is_brief.set(True)
    try:
        yield
    finally:
        _is_brief.reset(token)


def look_while_waiting() -> None:
    """As `look`, for whoever has waited for so long that looking is nothing to it."""
    check = _looks.get()
    if check is not None:
        check()
