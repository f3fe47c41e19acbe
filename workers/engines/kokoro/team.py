"""The threads that speak one segment together: one, or more when the machine has nothing else to do.

Why tasks and not the threads inside PyTorch's operations: most of these are too small to be divided, and divided sums come out
otherwise. Here whole branches of the model are computed side by side, each as one thread would compute it, so that the samples
are the same however many threads there are.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

import torch

_T = TypeVar("_T")


class Task(Generic[_T]):
    """Something that any thread of the team may compute, and whoever needs it computes if nobody has."""

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work = work
        self._is_taken = threading.Lock()
        self._done: Future[_T] = Future()

    def try_run(self) -> None:
        """Computes it in this thread, unless somebody does already."""
        if not self._is_taken.acquire(blocking=False):
            return
        try:
            self._done.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 - carried to whoever needs it
            self._done.set_exception(error)

    def result(self) -> _T:
        """What it computed, or raises what was raised."""
        self.try_run()
        return self._done.result()


class Team:
    """The helpers of the thread that made it, for the time of a `with`."""

    def __init__(self, n_threads: int) -> None:
        """`n_threads` with the one that makes it."""
        self._tasks: deque[Task[object]] = deque()
        self._changed = threading.Condition()
        self._is_over = False
        self._helpers = [threading.Thread(target=self._help, name=f"team-{n}", daemon=True) for n in range(1, n_threads)]

    def __enter__(self) -> "Team":
        for helper in self._helpers:
            helper.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_over = True
            self._tasks.clear()
            self._changed.notify_all()
        for helper in self._helpers:
            helper.join()

    def start(self, work: Callable[[], _T]) -> Task[_T]:
        """Has it computed as soon as somebody is free; of several that were started, the first goes first."""
        task = Task(work)
        with self._changed:
            self._tasks.append(task)  # type: ignore[arg-type]
            self._changed.notify()
        return task

    def _help(self) -> None:
        # A new thread would have all cores for itself, and divided sums come out otherwise.
        torch.set_num_threads(1)
        with torch.inference_mode():
            while (task := self._next()) is not None:
                task.try_run()

    def _next(self) -> Task[object] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._tasks or self._is_over)
            return self._tasks.popleft() if self._tasks else None
