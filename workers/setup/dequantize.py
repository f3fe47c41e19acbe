"""Converts Kokoro's 8-bit ONNX file to a checkpoint: the tensors that the `kokoro` package loads, as float32.

Why this is possible: the export names each node after its module, so the module of each weight is known. The tensors that the
export omits are not needed: the pooler of ALBERT is never read, and the norms inside AdaIN have a scale of 1 and a shift of 0.

The file is read as data. Nothing in it is run or unpickled.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper

from workers.engines.kokoro.names import PARTS

Array = npt.NDArray[Any]
Tensors = dict[str, Array]
"""Full name of a tensor of `kokoro.KModel`, such as `decoder.encode.conv1.bias` → its numbers."""

_ROOTS: Final = (("/encoder/", ""), ("/decoder/decoder/", "decoder/"))
"""The export has two halves. For each: the prefix of a module's name in the export, and its prefix in the package."""
_OF_PREDICTOR: Final = frozenset({"F0", "N", "F0_proj", "N_proj", "shared"})
"""Modules of the predictor that are outside it in the export."""
_PARAMETER: Final = re.compile(r"(?:encoder|decoder)\.(?P<name>.+\.(?:bias|weight|gamma|beta|alpha[12]\.\d))")
_REPEATED: Final = re.compile(r"^(query|key|value|dense|ffn|ffn_output|attention)_\d+$")
"""ALBERT has one layer that it runs twelve times: the export numbers the runs."""
_GATE_ORDER: Final = (0, 2, 3, 1)
"""ONNX orders an LSTM's gates as input, output, forget, cell; PyTorch as input, forget, cell, output."""
_POOLER_WIDTH: Final = 768


class NotKokoro(ValueError):
    """The ONNX file is not the export that this module can read. The message says what is missing."""


def read_tensors(path: Path) -> Tensors:
    """Returns all tensors of the file under the package's names, float32. Raises NotKokoro and the errors of `onnx.load`."""
    graph = onnx.load(str(path)).graph
    tensors = _Graph(graph).tensors()
    for part in PARTS:
        if not any(name.startswith(f"{part}.") for name in tensors):
            raise NotKokoro(f"{path} has no weights of Kokoro's {part}.")
    return tensors


def to_checkpoint(tensors: Tensors) -> dict[str, dict[str, torch.Tensor]]:
    """Returns the tensors grouped by part of the model, as in `kokoro-v1_0.pth`. The unused pooler is filled with zeros."""
    pooler = {"bert.pooler.weight": (_POOLER_WIDTH, _POOLER_WIDTH), "bert.pooler.bias": (_POOLER_WIDTH,)}
    whole = tensors | {name: np.zeros(shape, np.float32) for name, shape in pooler.items()}
    return {
        part: {
            name.removeprefix(f"{part}."): torch.from_numpy(np.array(array, np.float32))
            for name, array in sorted(whole.items())
            if name.startswith(f"{part}.")
        }
        for part in PARTS
    }


def split_norm(weight: Array) -> tuple[Array, Array]:
    """Splits `weight` (n, …) as weight norm does: lengths (n, 1, …) and directions (n, …).

    `weight` is lengths * directions / |directions|.

    94 filters of the file are zero after quantisation. Their direction would be 0/0, which turns the whole output into NaN. So
    it is set to ones, with a length of 0.
    """
    axes = tuple(range(1, weight.ndim))
    lengths = np.sqrt((weight.astype(np.float64) ** 2).sum(axes, keepdims=True)).astype(np.float32)
    return lengths, np.where(lengths == 0, np.float32(1), weight)


class _Graph:
    """Reads the weights of the nodes of an ONNX graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._nodes = list(graph.node)
        self._constants = {each.name: each for each in graph.initializer}
        self._users: dict[str, list[onnx.NodeProto]] = {}
        self._makers: dict[str, onnx.NodeProto] = {}
        for node in self._nodes:
            for name in node.input:
                self._users.setdefault(name, []).append(node)
            for name in node.output:
                self._makers[name] = node

    def tensors(self) -> Tensors:
        found: Tensors = {}
        for name in self._constants:
            match = _PARAMETER.fullmatch(name)
            if match:
                found[_in_package(match["name"])] = self._array(name)
        for node in self._nodes:
            found |= self._weights_of(node)
        return found

    def _weights_of(self, node: onnx.NodeProto) -> Tensors:
        """Returns the weights of `node` by name; empty for a node without weights."""
        readers = {
            "MatMulInteger": self._matmul,
            "ConvInteger": self._convolution,
            "DynamicQuantizeLSTM": self._lstm,
            "DequantizeLinear": self._embedding,
            "Conv": self._float_convolution,
            "ConvTranspose": self._float_convolution,
            "MatMul": self._float_matmul,
        }
        module = _module_of(node.name)
        reader = readers.get(node.op_type)
        if module is None or reader is None:
            return {}
        return {f"{module}.{key}": array for key, array in reader(node)}

    def _matmul(self, node: onnx.NodeProto) -> Iterator[tuple[str, Array]]:
        """Yields the weight, stored as (in, out) with a zero point and a scale for each column."""
        quantized, zero = self._array(node.input[1]), self._array(node.input[3])
        yield "weight", ((quantized.astype(np.float32) - zero.astype(np.float32)) * self._scale(node)).T

    def _convolution(self, node: onnx.NodeProto) -> Iterator[tuple[str, Array]]:
        """Yields the kernel, stored as (out, in, width) with one zero point and one scale."""
        quantized, zero = self._array(node.input[1]), self._array(node.input[3])
        kernel = (quantized.astype(np.float32) - zero.astype(np.float32)) * self._scale(node)
        yield from _as_trained(node.input[1], kernel)

    def _float_convolution(self, node: onnx.NodeProto) -> Iterator[tuple[str, Array]]:
        if node.input[1] in self._constants and "inverse_basis" not in node.input[1]:
            yield from _as_trained(node.input[1], self._array(node.input[1]))

    def _float_matmul(self, node: onnx.NodeProto) -> Iterator[tuple[str, Array]]:
        if node.input[1] in self._constants:
            yield "weight", self._array(node.input[1]).T

    def _embedding(self, node: onnx.NodeProto) -> Iterator[tuple[str, Array]]:
        """Yields the rows, stored as (n, width) with one zero point and one scale. A Gather selects them."""
        rows = self._array(self._makers[node.input[0]].input[0]).astype(np.float32)
        scale, zero = (self._array(name).astype(np.float32) for name in node.input[1:3])
        yield "weight", (rows - zero) * scale

    def _lstm(self, node: onnx.NodeProto) -> Iterator[tuple[str, Array]]:
        """Yields both directions, stored as weights (2, in, 4 width) and biases (2, 8 width)."""
        names = dict(zip(("ih", "hh"), zip(node.input[1:3], node.input[8::2], node.input[9::2], strict=True), strict=True))
        biases = self._array(node.input[3])
        for direction, suffix in enumerate(("", "_reverse")):
            for (key, (weight, scale, zero)), half in zip(names.items(), np.split(biases[direction], 2), strict=True):
                quantized = self._array(weight)[direction].astype(np.float32)
                matrix = (quantized - _of(self._array(zero), direction)) * _of(self._array(scale), direction)
                yield f"weight_{key}_l0{suffix}", _reorder(matrix.T)
                yield f"bias_{key}_l0{suffix}", _reorder(half)

    def _scale(self, node: onnx.NodeProto) -> Array:
        """Returns the scale of the node's weight. The export merges equal constants, so it is found by following the output.

        The output is cast, perhaps shifted by a bias, and multiplied by the product of two scales. One of these is computed
        from the input, the other is the constant.
        """
        product = node.output[0]
        for _ in range(3):
            (user,) = self._users[product][:1]
            if user.op_type == "Mul":
                (other,) = (name for name in user.input if name != product)
                constants = [name for name in self._makers[other].input if name in self._constants]
                return self._array(constants[0]).astype(np.float32)
            product = user.output[0]
        raise NotKokoro(f"The scale of {node.name} was not found.")

    def _array(self, name: str) -> Array:
        array: Array = numpy_helper.to_array(self._constants[name])
        return array


def _of(values: Array, direction: int) -> Array:
    """Returns the value of one direction of an LSTM."""
    value: Array = np.atleast_1d(values)[direction].astype(np.float32)
    return value


def _reorder(gates: Array) -> Array:
    """Returns the gates in PyTorch's order along the first axis, (4 width, …)."""
    parts = np.split(gates, 4)
    return np.concatenate([parts[i] for i in _GATE_ORDER])


def _as_trained(constant: str, weight: Array) -> Iterator[tuple[str, Array]]:
    """Yields the two tensors of weight norm if the export computed the kernel from them, else the kernel. A computed constant
    has its node's name, which begins with a slash.
    """
    if constant.startswith("/"):
        yield from zip(("weight_g", "weight_v"), split_norm(weight), strict=True)
    else:
        yield "weight", weight


def _module_of(node_name: str) -> str | None:
    """Returns the module of a node: `/encoder/F0.0/conv1/Conv_quant` → `predictor.F0.0.conv1`; None for a node outside all
    modules.
    """
    for root, replacement in _ROOTS:
        if node_name.startswith(root):
            return _in_package(".".join(_steps(replacement + node_name.removeprefix(root))))
    return None


def _steps(path: str) -> Iterator[str]:
    """Yields the modules of a path, without the operation at its end. A path names a list element twice: `cnn.0/cnn.0.1`."""
    steps = [_REPEATED.sub(r"\1", step) for step in path.split("/")[:-1]]
    for step, following in pairwise([*steps, ""]):
        if not following.startswith(f"{step}."):
            yield step


def _in_package(name: str) -> str:
    return f"predictor.{name}" if name.partition(".")[0] in _OF_PREDICTOR else name
