"""Exports Kokoro's weights as an ONNX model, once, with PyTorch's own exporter, and links the 8-bit file next to it.

Why this way: the models for `kokoro-onnx` were made like this, from `KModelForONNX` with a Fourier transform of real numbers.
The weight norms are folded first, as in that export, and the tracing exporter is used, since it knows packed LSTMs. The result
is compared with the original: it must give as many samples, for lengths that it was not traced with.
"""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import torch
from kokoro.model import KModelForONNX

from tests.benchmarks.cached_files import VOICE, cache_folder, make_once
from tests.benchmarks.model import Model
from tests.benchmarks.phonemes import phonemes_near
from tests.benchmarks.speakers import ONNX, ONNX_8BIT, load_speaker
from tests.benchmarks.speakers.as_shipped import load_model
from workers.engines.identity import identity_of

MISSING: Final = "ONNX Runtime is not installed: make bench installs it, or pip install -c deploy/constraints.txt '.[bench]'."

_TRACED_PHONEMES: Final = 48
_COMPARED: Final = (20, 90)
_OPSET: Final = 17


class ExportDiffers(Exception):
    """The audio of the exported model is not as long as the original's."""


def is_installed() -> bool:
    """Whether the extra `bench` is installed."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def export_folder(model: Model) -> Path:
    """Returns the folder for the export of these weights."""
    digest = identity_of("onnx", [model.files.config, model.files.weights]).split()[-1]
    return cache_folder() / f"onnx-{digest[:16]}"


def export_once(model: Model, eight_bit: Path | None) -> Path:
    """Returns a folder with `voice.npy`, and an ONNX file for each speaker that runs one.

    The export takes a minute or two if it does not exist. `eight_bit` is the path of Kokoro's 8-bit ONNX file, if there is one.
    Raises ExportDiffers.
    """
    folder = make_once(export_folder(model), lambda half: _export(model, half))
    link = folder / f"{ONNX_8BIT}.onnx"
    link.unlink(missing_ok=True)
    if eight_bit is not None:
        link.symlink_to(eight_bit.resolve(strict=True))
    return folder


def _export(model: Model, folder: Path) -> None:
    pack = torch.load(model.files.voices[VOICE], weights_only=True)
    np.save(folder / "voice.npy", pack.numpy())
    traced = load_model(model.files, disable_complex=True)
    for module in traced.modules():
        if hasattr(module, "weight_g"):
            torch.nn.utils.remove_weight_norm(module)
    phonemes = phonemes_near(_TRACED_PHONEMES)
    ids = torch.tensor([[0, *(traced.vocab[phoneme] for phoneme in phonemes), 0]])
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            KModelForONNX(traced),
            (ids, pack[len(phonemes) - 1], torch.ones(1)),
            folder / f"{ONNX}.onnx",
            input_names=["tokens", "style", "speed"],
            output_names=["waveform", "duration"],
            dynamic_axes={"tokens": {1: "n_tokens"}, "waveform": {0: "n_samples"}, "duration": {0: "n_tokens"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    _compare(model.folder, folder)


def _compare(model_dir: Path, folder: Path) -> None:
    shipped, exported = (load_speaker(name, model_dir, folder) for name in ("kokoro", ONNX))
    for n_phonemes in _COMPARED:
        seconds = [speaker.speak(phonemes_near(n_phonemes), 1) for speaker in (shipped, exported)]
        if seconds[0] != seconds[1]:
            raise ExportDiffers(
                f"{n_phonemes} phonemes last {seconds[1]:.3f} s in ONNX Runtime, {seconds[0]:.3f} s in the original."
            )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppresses the exporter's many warnings. Its C++ code writes past Python, so the file descriptor is redirected too."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    saved = os.dup(2)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), open(os.devnull, "wb") as nothing:  # noqa: PTH123
        warnings.simplefilter("ignore")
        os.dup2(nothing.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
