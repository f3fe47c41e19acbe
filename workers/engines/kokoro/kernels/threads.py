"""The threads that speak one segment together: one, or more when the machine has nothing else to do.

Why tasks and not the threads inside PyTorch's operations: most of these are too small to be divided, and divided sums come out
otherwise. Here whole branches of the model are computed side by side, each as one thread would compute it, so that the samples
are the same however many threads there are.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch

_T = TypeVar("_T")


class Task(Generic[_T]):
    """Something that a helper may compute, and whoever needs it computes if nobody has begun."""

    def __init__(self, work: Callable[[], _T], helped: "Future[_T] | None") -> None:
        self._work = work
        self._helped = helped

    def result(self) -> _T:
        """What it computes, or raises what is raised. To be asked for once."""
        if self._helped is None or self._helped.cancel():
            return self._work()
        return self._helped.result()


class Team:
    """The helpers of the thread that made it, for the time of a `with`."""

    def __init__(self, n_threads: int) -> None:
        """`n_threads` with the one that makes it."""
        # A new thread of PyTorch's would have all cores for itself, and divided sums come out otherwise.
        self._helpers = (
            ThreadPoolExecutor(n_threads - 1, "team", initializer=torch.set_num_threads, initargs=(1,))
            if n_threads > 1
            else None
        )

    def __enter__(self) -> "Team":
        return self

    def __exit__(self, *_: object) -> None:
        if self._helpers is not None:
            self._helpers.shutdown(cancel_futures=True)

    def start(self, work: Callable[[], _T]) -> Task[_T]:
        """Has it computed as soon as a helper is free; of several that were started, the first goes first."""
        return Task(work, self._helpers.submit(_infer, work) if self._helpers is not None else None)


def _infer(work: Callable[[], _T]) -> _T:
    with torch.inference_mode():
        return work()
