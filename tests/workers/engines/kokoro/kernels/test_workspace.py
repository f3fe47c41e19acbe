"""Memory that is reused."""

import pytest
import torch

from workers.engines.kokoro.kernels.moments import Moments
from workers.engines.kokoro.kernels.workspace import Output, Workspace, Workspaces
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
    assert workspace.n_bytes == 4 * n_numbers * is_kept


def test_a_signal_of_float16_takes_half_of_the_memory() -> None:
    workspace = Workspace()
    assert workspace.take("signal", 2, 3, dtype=torch.float16).shape == (2, 3)
    assert workspace.n_bytes == 12


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_an_output_adds_its_base_and_measures_the_sum(dtype: torch.dtype) -> None:
    base, seen = torch.ones(5, 2, dtype=dtype), Moments()
    output = Output(base, base=base, seen=seen)

    output.write(0, torch.full((4, 2), 2.0))
    place, below = output.begin(4, 4, Workspace())
    assert below is not None
    torch.add(below, 2.0, out=place)
    output.end(4, place)

    assert torch.equal(base, torch.full((5, 2), 3.0, dtype=dtype))
    assert torch.equal(seen.result()[0], torch.full((2,), 3.0))


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

    assert (busy.n_bytes, spare.n_bytes) == (40, 0)
    with workspaces.lend() as again:
        assert again is busy


def test_each_borrower_is_asked_to_give_way_by_its_own_caller() -> None:
    workspaces, asked = Workspaces(), list[str]()
    with workspaces.lend(lambda: asked.append("first")) as workspace:
        workspace.give_way()
    with workspaces.lend() as workspace:
        workspace.give_way()
    assert asked == ["first"]
