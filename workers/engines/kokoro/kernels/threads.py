"""The threads that compute one segment together: one, or more if the machine is otherwise idle.

Why tasks and not the threads inside PyTorch's operations: most operations are too small to divide, and divided sums round
differently. Here whole branches of the model run in parallel, each on one thread. So the samples do not depend on the number of
threads.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch

_T = TypeVar("_T")


def stay() -> None:
    """Does nothing: nobody else wants the thread."""


class Task(Generic[_T]):
    """A computation that a helper thread may run. If none has started it, the thread that asks for the result runs it."""

    def __init__(self, work: Callable[[], _T], helped: "Future[_T] | None") -> None:
        self._work = work
        self._helped = helped

    def result(self) -> _T:
        """Returns the result, or raises the error of the computation. Call it once."""
        if self._helped is None or self._helped.cancel():
            return self._work()
        return self._helped.result()


class Team:
    """The helper threads of one thread, for the duration of a `with` block."""

    def __init__(self, n_threads: int, give_way: Callable[[], None] = stay) -> None:
        """`n_threads` includes the calling thread, which calls `give_way` before each `run`."""
        self._give_way = give_way
        # By default PyTorch would use all cores in each new thread, and divided sums round differently.
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
        """Runs `work` as soon as a helper is free, in the order of the calls."""
        return Task(work, self._helpers.submit(_infer, work) if self._helpers is not None else None)

    def run(self, works: Sequence[Callable[[], _T]]) -> list[_T]:
        """Runs `works`, the first in this thread, and returns their results in order."""
        self._give_way()
        if self._helpers is None:
            return [work() for work in works]
        first, *others = works
        tasks = [self.start(work) for work in others]
        return [first(), *(task.result() for task in tasks)]


def _infer(work: Callable[[], _T]) -> _T:
    with torch.inference_mode():
        return work()
