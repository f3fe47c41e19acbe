"""Weights restored from an ONNX file with the node names of Kokoro's export."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from tests.workers.setup.onnx_files import Export, make_export
from workers.engines.kokoro.names import PARTS
from workers.setup.dequantize import NotKokoro, Tensors, read_tensors, split_norm, to_checkpoint

CONVOLUTION = "text_encoder.cnn.0.0"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[Export, Path]:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    return make_export(path), path


@pytest.fixture(scope="module")
def tensors(export: tuple[Export, Path]) -> Tensors:
    return read_tensors(export[1])


def unite(tensors: Tensors, name: str) -> np.ndarray:
    """Returns the kernel that weight norm computes from its two tensors."""
    g, v = (torch.from_numpy(tensors[f"{name}.weight_{half}"]) for half in "gv")
    return torch._weight_norm(v, g, 0).numpy()


def test_every_weight_is_what_went_in_within_half_a_step(export: tuple[Export, Path], tensors: Tensors) -> None:
    truth, steps = export[0].truth, export[0].steps

    for name, expected in truth.items():
        found = unite(tensors, name) if name == CONVOLUTION else tensors[name]
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=steps.get(name, 0) / 2 + 1e-6, err_msg=name)


def test_nothing_else_is_found(export: tuple[Export, Path], tensors: Tensors) -> None:
    halves = {f"{CONVOLUTION}.weight_g", f"{CONVOLUTION}.weight_v"}

    assert set(tensors) == export[0].truth.keys() - {CONVOLUTION} | halves


def test_a_filter_of_zeros_has_length_zero_and_stays_finite(tensors: Tensors) -> None:
    assert tensors[f"{CONVOLUTION}.weight_g"][2] == 0
    assert not unite(tensors, CONVOLUTION)[2].any()
    assert np.isfinite(unite(tensors, CONVOLUTION)).all()


def test_a_weight_is_its_length_times_its_direction() -> None:
    weight = np.random.default_rng(1).normal(size=(5, 3, 2)).astype(np.float32)

    lengths, directions = split_norm(weight)

    assert lengths.shape == (5, 1, 1)
    united = lengths * directions / np.linalg.norm(directions.reshape(5, -1), axis=1).reshape(5, 1, 1)
    np.testing.assert_allclose(united, weight, rtol=1e-5)


def test_the_checkpoint_has_every_part_and_an_empty_pooler(tensors: Tensors) -> None:
    checkpoint = to_checkpoint(tensors)

    assert tuple(checkpoint) == PARTS
    assert checkpoint["predictor"]["shared.weight_ih_l0_reverse"].dtype == torch.float32
    assert not checkpoint["bert"]["pooler.weight"].any()
    assert sum(map(len, checkpoint.values())) == len(tensors) + 2


def test_a_file_that_lacks_a_part_is_refused(tmp_path: Path) -> None:
    export = Export()
    export.embedding("/encoder/text_encoder/embedding/Gather_quant", "text_encoder.embedding", (7, 4))

    with pytest.raises(NotKokoro, match="no weights of Kokoro's bert"):
        read_tensors(export.write(tmp_path / "model.onnx"))


def test_a_weight_without_its_scale_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    make_export(path)
    model = onnx.load(str(path))
    for node in model.graph.node:
        if node.op_type == "Mul":
            node.op_type = "Add"
    onnx.save(model, str(path))

    with pytest.raises(NotKokoro, match=r"The scale of .* was not found"):
        read_tensors(path)
