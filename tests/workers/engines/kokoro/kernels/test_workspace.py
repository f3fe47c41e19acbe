"""Memory that is reused, and moments of a signal that is measured piece by piece."""

import pytest
import torch

from workers.engines.kokoro.kernels.moments import Moments
from workers.engines.kokoro.kernels.workspace import Workspace, Workspaces


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


@pytest.mark.parametrize("n_rows", [1, 37, 5000])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_moments_are_those_of_all_samples(n_rows: int, offset: float) -> None:
    signal = torch.randn(3001, 5, generator=torch.Generator().manual_seed(0)) * 3 + offset * torch.arange(5)
    moments = Moments()
    for piece in signal.split(n_rows):
        moments.see(piece)
    mean, variance = moments.result()
    torch.testing.assert_close(mean, signal.double().mean(0).float(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(variance, signal.double().var(0, correction=0).float(), rtol=1e-4, atol=1e-5)
