"""Checks at each step of preparing a text whether it is still wanted, so that an unwanted text takes no time from others.

Why a context variable and not a parameter: texts are prepared through engines and G2Ps, each with its own signature, and always
in the thread that asked for the next segment.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_check: Final[ContextVar[Callable[[], None] | None]] = ContextVar("check", default=None)
_skips_checks: Final = ContextVar("skips_checks", default=False)
"""True while this thread holds something that others wait for. `check_cancelled` then does nothing, since a
check may ask Redis.
"""


@contextmanager
def cancellation_check(check: Callable[[], None] | None) -> Iterator[None]:
    """Makes `check_cancelled` call `check` in this thread. None: nothing is called.

    An exception of `check` ends the preparation.
    """
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def check_cancelled() -> None:
    """To be called wherever the preparation of a text begins another step. Raises Cancelled when the text is unwanted."""
    if not _skips_checks.get():
        check_cancelled_while_waiting()


@contextmanager
def skipping_checks() -> Iterator[None]:
    """Makes `check_cancelled` do nothing while this thread holds something that others wait for.

    `check_cancelled_while_waiting` still checks.
    """
    token = _skips_checks.set(True)
    try:
        yield
    finally:
        _skips_checks.reset(token)


def check_cancelled_while_waiting() -> None:
    """Like `check_cancelled`, but also checks within `skipping_checks`: for a caller that has waited so long that a check costs
    little.
    """
    check = _check.get()
    if check is not None:
        check()
