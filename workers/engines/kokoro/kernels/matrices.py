"""The prepared weights of the convolutions, kept in 32, 16 or 8 bits, and always multiplied in float32.

Why: they are 0.5 GB in float32, the largest part of the model. A matrix is read once for many samples, and widened while it is
read, so fewer bytes come from memory. Processors widen float16 twice as fast as bfloat16. Why no product of bfloat16 or int8:
PyTorch's are only faster on processors with instructions for them, and the algorithms here need a half to a sixth of the plain
formula's products, but only in float32. On a processor without such instructions, six typical convolutions took FBGEMM's int8
115 ms and these algorithms 101 ms.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Literal

import torch

from workers.engines.kokoro.kernels.workspace import Workspaces

Precision = Literal["float32", "float16", "bfloat16", "int8"]

_LEAST_FOR_INT8: Final = 256
"""Narrower matrices are kept in float16 in place of int8: they are a tenth of the memory, and with them in int8 the sound was
3.9 decibels away from float32's (log-spectral distance), without them 1.0. Two drawings of the model's noise are 2.2 apart.
"""
_LARGEST: Final = 127
"""Largest number of int8 that is used."""

Allocate = Callable[..., torch.Tensor]
"""Returns memory of a shape, with undefined contents."""


class Matrices:
    """Matrices of one shape. One at a time is read."""

    _widened = Workspaces()
    """Memory for one matrix in each thread."""

    def __init__(self, matrices: torch.Tensor, precision: Precision = "float32", *, by_columns: bool = False) -> None:
        """`matrices`: (n, n_in, n_out). With int8, each column has a scale of its own. `by_columns`: whether the numbers of a
        column follow each other in memory, not those of a row.
        """
        ordered = matrices.transpose(1, 2) if by_columns else matrices
        self.n_in, self.n_out = matrices.shape[1:]
        self._by_columns = by_columns
        self._scales = None
        if precision == "int8" and self.n_in < _LEAST_FOR_INT8:
            precision = "float16"
        if precision == "int8":
            scales = (
                ordered.abs().amax(2 if by_columns else 1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny) / _LARGEST
            )
            self._scales = scales.float().unbind()
            ordered = (ordered / scales).round()
        # One allocation for all: separate ones fragment the memory.
        self._kept = ordered.to(getattr(torch, precision)).contiguous().unbind()

    def __len__(self) -> int:
        """Number of matrices."""
        return len(self._kept)

    def multiply(
        self, x: torch.Tensor, number: int = 0, *, bias: torch.Tensor | None = None, out: torch.Tensor | None = None
    ) -> torch.Tensor:
        """(n, n_in) → (n, n_out), float32: the product of `x` and a matrix, plus `bias` (n_out,); written to `out` if given."""
        with self._widened.lend() as memory:
            matrix = self.read(number, partial(memory.take, "matrix"))
            return torch.mm(x, matrix, out=out) if bias is None else torch.addmm(bias, x, matrix, out=out)

    def read(self, number: int, allocate: Allocate) -> torch.Tensor:
        """Returns a matrix, (n_in, n_out), float32. Calls `allocate` with a shape for the memory in which it is widened."""
        found = self._kept[number]
        if found.dtype != torch.float32:
            found = allocate(*found.shape).copy_(found)
            if self._scales is not None:
                found.mul_(self._scales[number])
        return found.t() if self._by_columns else found
