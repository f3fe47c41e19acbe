"""`kokoro-pi`, another server for CPUs: it rewrites Kokoro's ONNX graph and adds its own operators, on the same weights.

`python -m tests.benchmarks.speakers.kokoro_pi ONNX_DIR` builds its models once, with its own `build` and its own texts to
calibrate with. The speaker runs what its guide advises: 8-bit convolutions on ARM, and elsewhere, where these have no vector
instructions, its model of 32-bit floats.

Why it is built from the benchmark's export: it would download an ONNX file from GitHub, whose weights are not the other
speakers'. In the export, nodes have other names, constants are nodes, and the scale and shift of a normalization are nodes of
their own. kokoro-pi's rewriting does not find them so; therefore they are first made like those of that file.
"""

import json
import platform
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from unittest.mock import patch

import kokoro_pi
import numpy as np
import onnx
from kokoro_pi import assets, build

from tests.benchmarks.cached_files import VOICE, make_once

_FOLDER: Final = "kokoro-pi"
_VOICES: Final = "voices-v1.0.bin"
_IN_EXPORT: Final = "/decoder/"
_EXPECTED: Final = "/decoder/decoder/"
"""How the names of the decoder's nodes begin: in the export, and in the file that kokoro-pi expects."""
_AXES: Final = "norm_axes"


class KokoroPiSpeaker:
    """See Speaker. It has one engine for each number of threads, made at its first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._engines: dict[int, kokoro_pi.Kokoro] = {}

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        if n_threads not in self._engines:
            self._engines[n_threads] = kokoro_pi.Kokoro(self._folder, threads=n_threads, verify=False, warm=False)
        audio, rate_hz = self._engines[n_threads].create(phonemes, voice=VOICE, lang="en-us", is_phonemes=True, trim=False)
        seconds: float = len(audio) / rate_hz
        return seconds

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """See Speaker: one after the other, all threads for each."""
        return sum(self.speak(phonemes, n_threads) for phonemes in segments)


def load(_: Path, onnx_file: Path | None) -> KokoroPiSpeaker:
    """Returns a speaker that loads the model when it first speaks."""
    assert onnx_file is not None
    return KokoroPiSpeaker(onnx_file.with_name(_FOLDER))


def prepare(onnx_dir: Path) -> None:
    """Builds the models from the export in `onnx_dir`, if they do not exist. It takes some minutes."""
    make_once(onnx_dir / _FOLDER, lambda half: _build(onnx_dir, half))


def _build(onnx_dir: Path, folder: Path) -> None:
    """Calls its `build` on the export. Its check that the waveform stays the same is off: the export's noise is random."""
    onnx.save(_renamed(onnx.load(onnx_dir / "onnxruntime.onnx")), folder / build.UPSTREAM_MODEL)
    with (folder / _VOICES).open("wb") as file:
        np.savez(file, **{VOICE: np.load(onnx_dir / "voice.npy")})
    held_out = folder / "heldout.json"
    held_out.write_text(json.dumps({"fixtures": [{"id": "short", "text": "Good morning."}]}), encoding="utf-8")
    arguments = ["--models", str(folder), "--voice", VOICE, "--heldout", str(held_out)]
    if platform.machine() not in ("aarch64", "arm64"):
        arguments.append("--skip-int8")
    voices = {_VOICES: folder / _VOICES}
    with patch.object(assets, "fetch_all", lambda _: voices), patch.object(build, "PARITY_FLOOR_DB", -np.inf):
        build.main(arguments)


def _renamed(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the model as kokoro-pi's rewriting expects it: names, constants and normalizations."""
    graph = model.graph
    for node in graph.node:
        if node.name.startswith(_IN_EXPORT):
            node.name = _EXPECTED + node.name.removeprefix(_IN_EXPORT)
    _store_constants(graph)
    _join_norms(graph)
    return model


def _store_constants(graph: onnx.GraphProto) -> None:
    """Makes each node that is a constant, or another name of a weight, a stored tensor."""
    stored = {tensor.name for tensor in graph.initializer}
    real_names: dict[str, str] = {}
    kept = []
    for node in graph.node:
        if node.op_type == "Constant":
            tensor = graph.initializer.add()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
        elif node.op_type == "Identity" and node.input[0] in stored:
            real_names[node.output[0]] = node.input[0]
        else:
            node.input[:] = [real_names.get(name, name) for name in node.input]
            kept.append(node)
    _replace_nodes(graph, kept)


def _join_norms(graph: onnx.GraphProto) -> None:
    """Gives each normalization of the vocoder the scale and shift that follow it, as kokoro-pi does with its own file."""
    followers = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            followers[name].append(node)
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 2]), _AXES))
    replaced: dict[str, list[onnx.NodeProto]] = {}
    for norm in graph.node:
        if norm.op_type == "InstanceNormalization" and norm.name.startswith(f"{_EXPECTED}generator/"):
            (multiply,) = followers[norm.output[0]]
            (add,) = followers[multiply.output[0]]
            replaced |= {norm.name: [], multiply.name: [], add.name: _joined(norm, multiply, add)}
    _replace_nodes(graph, [new for node in graph.node for new in replaced.get(node.name, [node])])


def _joined(norm: onnx.NodeProto, multiply: onnx.NodeProto, add: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Returns nodes that do what the three do. The factors are (1, channels, 1); the normalization takes (channels,)."""
    scale = next(name for name in multiply.input if name != norm.output[0])
    shift = next(name for name in add.input if name != multiply.output[0])
    flat = [f"{norm.name}_scale", f"{norm.name}_shift"]
    squeezes = [
        onnx.helper.make_node("Squeeze", [name, _AXES], [to], name=to) for name, to in zip((scale, shift), flat, strict=True)
    ]
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in norm.attribute}
    joined = onnx.helper.make_node(norm.op_type, [norm.input[0], *flat], list(add.output), name=norm.name, **attributes)
    return [*squeezes, joined]


def _replace_nodes(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]) -> None:
    kept = list(nodes)
    del graph.node[:]
    graph.node.extend(kept)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
