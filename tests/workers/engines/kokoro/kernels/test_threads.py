import threading
from functools import partial

import pytest

from workers.engines.kokoro.kernels.threads import Team


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_every_task_is_computed_once(n_threads: int) -> None:
    computed: list[int] = []

    def compute(number: int) -> int:
        computed.append(number)
        return number

    with Team(n_threads) as team:
        tasks = [team.start(partial(compute, number)) for number in range(100)]
        assert [task.result() for task in reversed(tasks)] == list(reversed(range(100)))
    assert sorted(computed) == list(range(100))


def test_two_tasks_are_computed_side_by_side() -> None:
    both = threading.Barrier(2, timeout=60)
    with Team(2) as team:
        first, second = team.start(both.wait), team.start(both.wait)
        assert {second.result(), first.result()} == {0, 1}


@pytest.mark.parametrize("n_threads", [1, 2])
def test_what_a_task_raises_reaches_who_needs_it(n_threads: int) -> None:
    def fail() -> None:
        raise ValueError("broken")

    with Team(n_threads) as team, pytest.raises(ValueError, match="broken"):
        team.start(fail).result()


def test_a_team_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with Team(3) as team:
        team.start(lambda: None)
    assert threading.active_count() == before
