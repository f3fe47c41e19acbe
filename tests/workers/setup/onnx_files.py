"""A small ONNX graph whose nodes are named as in Kokoro's 8-bit export, made from float weights that the test knows."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Array = npt.NDArray[np.float32]
GATES = (0, 3, 1, 2)
"""For each gate in ONNX's order, its index in PyTorch's order."""


class Export:
    """Collects nodes and constants; `write` makes the file."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self.truth: dict[str, Array] = {}
        """Name of a tensor in the package → its values before quantisation."""
        self.steps: dict[str, float] = {}
        """Name → the size of one quantisation step."""

    def write(self, path: Path) -> Path:
        constants = [numpy_helper.from_array(array, name) for name, array in self._constants.items()]
        graph = helper.make_graph(self._nodes, "kokoro", [], [], constants)
        onnx.save(helper.make_model(graph), str(path))
        return path

    def matmul(self, node: str, tensor: str, shape: tuple[int, int], *, scale: str, zero: str, bias: bool = False) -> None:
        """Adds a quantised linear layer of `shape` (out, in). `scale` and `zero` name constants, which nodes may share."""
        step, shift = self._shared(scale, zero, shape[0])
        quantized, self.truth[f"{tensor}.weight"] = self._quantize(shape, step, shift, np.int8)
        self.steps[f"{tensor}.weight"] = float(step.max())
        self._constants[f"{node}.q"] = quantized.T.copy()
        self._node("MatMulInteger", node, ["x", f"{node}.q", "x.zero", zero])
        self._rescale(node, scale, with_bias=bias)

    def convolution(self, node: str, tensor: str, shape: tuple[int, int, int], *, zero_filter: int | None = None) -> None:
        """Adds a quantised convolution with weight norm. The filter `zero_filter` is all zero."""
        scale, zero = f"{node}.scale", f"{node}.zero"
        step, shift = np.float32(0.01), np.uint8(128)
        self._constants |= {scale: np.array(step), zero: np.array(shift)}
        quantized, weight = self._quantize(shape, step, shift, np.uint8)
        if zero_filter is not None:
            quantized[zero_filter], weight[zero_filter] = shift, 0
        self.truth[tensor], self.steps[tensor] = weight, float(step)
        self._constants[f"/{node}/Mul_output_0_quantized"] = quantized
        self._node("ConvInteger", node, ["x", f"/{node}/Mul_output_0_quantized", "x.zero", zero])
        self._rescale(node, scale)

    def lstm(self, node: str, tensor: str, n_inputs: int, width: int) -> None:
        """Adds a quantised LSTM with two directions."""
        step, shift = np.array([0.01, 0.02], np.float32), np.array([3, -2], np.int8)
        self._constants |= {"lstm.scale": step, "lstm.zero": shift}
        matrices: dict[str, list[Array]] = {"ih": [], "hh": []}
        for direction, suffix in enumerate(("", "_reverse")):
            for key, n in (("ih", n_inputs), ("hh", width)):
                quantized, weight = self._quantize((4 * width, n), step[direction], shift[direction], np.int8)
                self.truth[f"{tensor}.weight_{key}_l0{suffix}"] = weight
                self.steps[f"{tensor}.weight_{key}_l0{suffix}"] = float(step[direction])
                matrices[key].append(_as_onnx(quantized).T)
        self._constants["lstm.w"], self._constants["lstm.r"] = np.stack(matrices["ih"]), np.stack(matrices["hh"])
        self._constants["lstm.b"] = self._biases(tensor, width)
        quantities = ["lstm.scale", "lstm.zero", "lstm.scale", "lstm.zero"]
        self._node("DynamicQuantizeLSTM", node, ["x", "lstm.w", "lstm.r", "lstm.b", "", "", "", "", *quantities])

    def embedding(self, node: str, tensor: str, shape: tuple[int, int]) -> None:
        step, shift = np.float32(0.02), np.int8(5)
        quantized, self.truth[f"{tensor}.weight"] = self._quantize(shape, step, shift, np.int8)
        self.steps[f"{tensor}.weight"] = float(step)
        self._constants |= {f"{node}.q": quantized, f"{node}.scale": np.array(step), f"{node}.zero": np.array(shift)}
        self._node("Gather", node, [f"{node}.q", "tokens"])
        self._node("DequantizeLinear", f"{node}_DequantizeLinear", [f"{node}_out", f"{node}.scale", f"{node}.zero"])

    def parameter(self, name: str, constant: str, shape: tuple[int, ...]) -> None:
        """Adds a float32 parameter, which the file stores as `constant`."""
        self.truth[name] = self._constants[constant] = self._random.normal(size=shape).astype(np.float32)

    def _quantize(self, shape: tuple[int, ...], step: Any, shift: Any, kind: type[np.integer[Any]]) -> tuple[Any, Array]:
        """Returns random weights of `shape`, as integers and as the floats that these represent within half a step."""
        integers = self._random.integers(-90, 90, shape).astype(np.int16)
        steps, shifts = (np.reshape(each, (-1, *[1] * (len(shape) - 1))) for each in (step, shift))
        noise = self._random.uniform(-0.49, 0.49, shape)
        limits = np.iinfo(kind)
        integers = np.clip(integers, limits.min - shifts.astype(np.int16), limits.max - shifts.astype(np.int16))
        quantized = (integers + shifts.astype(np.int16)).astype(kind)
        return quantized, ((integers + noise) * steps).astype(np.float32)

    def _shared(self, scale: str, zero: str, n: int) -> tuple[Any, Any]:
        """Returns a scale and a zero point for each of `n` columns. The same name always returns the same values."""
        if scale not in self._constants:
            self._constants[scale] = self._random.uniform(0.005, 0.02, n).astype(np.float32)
        if zero not in self._constants:
            self._constants[zero] = self._random.integers(-4, 5, n).astype(np.int8)
        return self._constants[scale], self._constants[zero]

    def _biases(self, tensor: str, width: int) -> Array:
        """Returns (2, 8 width): for each direction the bias of the input, then the bias of the state."""
        rows = []
        for suffix in ("", "_reverse"):
            for key in ("ih", "hh"):
                bias = self._random.normal(size=4 * width).astype(np.float32)
                self.truth[f"{tensor}.bias_{key}_l0{suffix}"] = bias
                rows.append(_as_onnx(bias))
        return np.stack([np.concatenate(rows[:2]), np.concatenate(rows[2:])])

    def _rescale(self, node: str, scale: str, *, with_bias: bool = False) -> None:
        """Adds the nodes that turn a product of integers into floats: a cast, perhaps a bias, a product with both scales."""
        self._node("Cast", f"{node}.cast", [f"{node}_out"])
        last = f"{node}.cast_out"
        if with_bias:
            self._node("Add", f"{node}.add", [last, "some.bias"])
            last = f"{node}.add_out"
        self._node("Mul", f"{node}.scales", ["x.scale", scale])
        self._node("Mul", f"{node}.mul", [last, f"{node}.scales_out"])

    def _node(self, kind: str, name: str, inputs: list[str]) -> None:
        self._nodes.append(helper.make_node(kind, inputs, [f"{name}_out"], name=name))


def make_export(path: Path) -> Export:
    """Writes a file with one layer of every kind and at least one tensor of each part of the model."""
    export = Export()
    shared: dict[str, Any] = {"scale": "merged.scale", "zero": "merged.zero"}
    layer = "/encoder/bert/encoder/albert_layer_groups.0/albert_layers.0/attention/query"
    export.matmul(f"{layer}/MatMul_quant", "bert." + ".".join(layer.split("/")[3:]), (6, 4), **shared, bias=True)
    export.matmul("/encoder/bert_encoder/MatMul_quant", "bert_encoder", (6, 5), scale="other.scale", zero="merged.zero")
    export.matmul("/decoder/decoder/encode/norm1/fc/Gemm_MatMul_quant", "decoder.encode.norm1.fc", (6, 3), **shared)
    export.embedding("/encoder/text_encoder/embedding/Gather_quant", "text_encoder.embedding", (7, 4))
    export.lstm("/encoder/shared/LSTM_quant", "predictor.shared", 5, 3)
    export.convolution("/encoder/text_encoder/cnn.0/cnn.0.0/Conv_quant", "text_encoder.cnn.0.0", (4, 3, 5), zero_filter=2)
    export.parameter("predictor.F0.0.conv1.bias", "encoder.predictor.F0.0.conv1.bias", (4,))
    export.write(path)
    return export


def _as_onnx(gates: Any) -> Any:
    """Returns the gates along the first axis in ONNX's order."""
    parts = np.split(gates, 4)
    return np.concatenate([parts[i] for i in GATES])
