"""Memory that is reused."""

import pytest

from workers.engines.kokoro.kernels.workspace import Workspace, Workspaces
from workers.engines.memory import return_memory


def test_a_buffer_is_reused_and_grows() -> None:
    workspace = Workspace()
    first = workspace.take("points", 4, 8)
    assert workspace.take("points", 2, 3).data_ptr() == first.data_ptr()
    assert workspace.take("points", 5, 8).shape == (5, 8)
    assert workspace.take("others", 4, 8).data_ptr() != first.data_ptr()


def test_nobody_has_a_workspace_that_another_has() -> None:
    workspaces = Workspaces()
    with workspaces.lend() as one, workspaces.lend() as other:
        assert one is not other
    with workspaces.lend() as again:
        assert again in (one, other)


@pytest.mark.parametrize(("n_numbers", "is_kept"), [(1 << 20, True), (29 << 20, False)])
def test_the_memory_of_a_long_segment_is_not_kept(n_numbers: int, is_kept: bool) -> None:
    workspaces = Workspaces()
    with workspaces.lend() as workspace:
        workspace.take("signal", n_numbers)
    assert workspace.n_numbers == n_numbers * is_kept


def test_workspaces_that_are_not_used_any_more_are_freed() -> None:
    now = 100.0
    workspaces = Workspaces(lambda: now)
    with workspaces.lend() as busy, workspaces.lend() as spare:
        busy.take("signal", 10)
        spare.take("signal", 10)
    now = 105.0
    with workspaces.lend() as again:
        assert again is busy
    now = 112.0

    return_memory()

    assert (busy.n_numbers, spare.n_numbers) == (10, 0)
    with workspaces.lend() as again:
        assert again is busy


def test_each_borrower_is_asked_to_give_way_by_its_own_caller() -> None:
    workspaces, asked = Workspaces(), list[str]()
    with workspaces.lend(lambda: asked.append("first")) as workspace:
        workspace.give_way()
    with workspaces.lend() as workspace:
        workspace.give_way()
    assert asked == ["first"]
