"""CUDA graphs: a computation captured once for each shape of its inputs, and replayed.

Why: the decoder starts some thousand small kernels, and telling the device of each takes longer than many of them run. A graph
is told at once. It reads and writes where it was captured, so inputs are copied there.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import torch

MOST_GRAPHS: Final = 48
"""Each keeps what it works in; the one that was not used for longest goes first."""
_WARM_UPS: Final = 2
"""Before a capture: the libraries choose their kernels and allocate what they need."""

Computation = Callable[..., torch.Tensor]
_Captured = tuple[torch.cuda.CUDAGraph, tuple[torch.Tensor, ...], torch.Tensor]


class Graphs:
    """A computation on tensors of a CUDA device, whose kernels depend on nothing but their shapes."""

    def __init__(self, compute: Computation) -> None:
        """`compute` takes tensors and gives one."""
        self._compute = compute
        self._captured: OrderedDict[tuple[torch.Size, ...], _Captured] = OrderedDict()

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        """What it computes of `inputs`; to be read before the next call."""
        shapes = tuple(one.shape for one in inputs)
        if shapes not in self._captured:
            self._captured[shapes] = self._capture(inputs)
            if len(self._captured) > MOST_GRAPHS:
                self._captured.popitem(last=False)
        self._captured.move_to_end(shapes)
        graph, places, output = self._captured[shapes]
        for place, one in zip(places, inputs, strict=True):
            place.copy_(one)
        graph.replay()
        return output

    def _capture(self, inputs: tuple[torch.Tensor, ...]) -> _Captured:
        places = tuple(one.clone() for one in inputs)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                self._compute(*places)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = self._compute(*places)
        return graph, places, output
