"""Matrices that are kept in fewer bytes: how near they stay, how much memory they take, and what convolutions make of them."""

import pytest
import torch

from workers.engines.kokoro.kernels.adain import Snake
from workers.engines.kokoro.kernels.convolution import make_convolution
from workers.engines.kokoro.kernels.matrices import Matrices, Precision
from workers.engines.kokoro.kernels.workspace import Output, Workspace

PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "bfloat16", "int8")
WIDE, NARROW = 256, 24


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def some_matrices(n_in: int) -> torch.Tensor:
    """Returns (3, n_in, 20), with columns of very different sizes."""
    return torch.randn(3, n_in, 20) * torch.logspace(-3, 3, 20)


def error(kept: Matrices, matrices: torch.Tensor) -> float:
    """Returns the largest error, relative to the largest number of its column."""
    read = torch.stack([kept.read(number, torch.empty) for number in range(len(kept))])
    return float(((read - matrices).abs() / matrices.abs().amax(1, keepdim=True)).max())


@pytest.mark.parametrize("by_columns", [False, True])
@pytest.mark.parametrize(
    ("precision", "most"), [("float32", 0.0), ("float16", 2**-11), ("bfloat16", 2**-8), ("int8", 0.51 / 127)]
)
def test_they_are_as_near_as_their_precision(precision: Precision, most: float, by_columns: bool) -> None:
    matrices = some_matrices(WIDE)
    assert error(Matrices(matrices, precision, by_columns=by_columns), matrices) <= most


def test_narrow_matrices_are_not_kept_in_int8() -> None:
    matrices = some_matrices(NARROW)
    read = [Matrices(matrices, precision).read(1, torch.empty) for precision in ("float16", "int8")]
    assert torch.equal(*read)


@pytest.mark.parametrize(("precision", "n_bytes"), [("float32", 4), ("float16", 2), ("bfloat16", 2), ("int8", 1)])
def test_they_take_fewer_bytes(precision: Precision, n_bytes: int) -> None:
    matrices = some_matrices(WIDE)
    kept = Matrices(matrices, precision)._kept
    assert sum(one.nbytes for one in kept) == n_bytes * matrices.numel()


def test_a_matrix_of_zeros_stays_one() -> None:
    assert not Matrices(torch.zeros(1, WIDE, 4), "int8").read(0, torch.empty).any()


def test_only_kept_float32_is_read_without_other_memory() -> None:
    taken = []

    def allocate(*shape: int) -> torch.Tensor:
        taken.append(shape)
        return torch.empty(*shape)

    for precision in PRECISIONS:
        Matrices(some_matrices(WIDE), precision, by_columns=True).read(0, allocate)
    assert taken == 3 * [(20, WIDE)]


@pytest.mark.parametrize("n_kernel", [3, 7, 11])
@pytest.mark.parametrize(("precision", "most"), [("float16", 0.003), ("bfloat16", 0.02), ("int8", 0.04)])
def test_a_convolution_stays_near(n_kernel: int, precision: Precision, most: float) -> None:
    weight = torch.randn(WIDE, WIDE, n_kernel) / n_kernel
    ones = torch.ones(WIDE)
    source = Snake(torch.randn(300, WIDE), ones, ones * 0.1)
    exact, near = torch.empty(2, 300, WIDE)
    make_convolution(weight, 3)(source, Output(exact), Workspace())
    make_convolution(weight, 3, precision)(source, Output(near), Workspace())

    apart = (near - exact).square().mean().sqrt() / exact.square().mean().sqrt()
    assert 0 < apart < most
