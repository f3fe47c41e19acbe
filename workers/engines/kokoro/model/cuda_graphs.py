"""CUDA graphs: captures a computation once for each shape of its inputs, and replays it.

Why: the decoder starts about a thousand small kernels, and for many of them the launch takes longer than the computation. A
graph is one launch. It uses the memory of its capture, so inputs are copied there.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import torch

MAX_GRAPHS: Final = 48
"""Each graph keeps its memory. The least recently used one is deleted first."""
_WARM_UPS: Final = 2
"""Runs before a capture, in which the libraries choose their kernels and allocate memory."""

Computation = Callable[..., torch.Tensor]
_Captured = tuple[torch.cuda.CUDAGraph, tuple[torch.Tensor, ...], torch.Tensor]


class Graphs:
    """A computation on tensors of a CUDA device. Its kernels must depend only on the shapes of the inputs."""

    def __init__(self, compute: Computation) -> None:
        """`compute` takes tensors and returns one."""
        self._compute = compute
        self._captured: OrderedDict[tuple[torch.Size, ...], _Captured] = OrderedDict()

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Returns the result for `inputs`. The next call overwrites it."""
        shapes = tuple(one.shape for one in inputs)
        if shapes not in self._captured:
            self._captured[shapes] = self._capture(inputs)
            if len(self._captured) > MAX_GRAPHS:
                self._captured.popitem(last=False)
        self._captured.move_to_end(shapes)
        graph, places, output = self._captured[shapes]
        for place, one in zip(places, inputs, strict=True):
            place.copy_(one)
        graph.replay()
        return output

    def _capture(self, inputs: tuple[torch.Tensor, ...]) -> _Captured:
        places = tuple(one.clone() for one in inputs)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                self._compute(*places)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = self._compute(*places)
        return graph, places, output
