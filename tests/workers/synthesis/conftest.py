from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.workers.synthesis.queues import HeldQueue


@pytest.fixture
def open_queue() -> Iterator[Callable[..., HeldQueue]]:
    queues: list[HeldQueue] = []

    def open_one(**options: Any) -> HeldQueue:
        queues.append(HeldQueue(**options))
        return queues[-1]

    yield open_one
    for queue in queues:
        queue.close()


@pytest.fixture
def queue(open_queue: Callable[..., HeldQueue]) -> HeldQueue:
    return open_queue()
