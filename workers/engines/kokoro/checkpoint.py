"""Loads Kokoro's files with the `kokoro` package, and rejects incomplete files.

Why `KModel` does not load the weights itself: it silently skips keys that do not fit, and downloads missing files. Here it is
built without weights, and every expected tensor of the file is checked and becomes its own.

Why a few keys may be absent: the norms inside AdaIN got a scale and a shift after v1.0 was trained. In a file without them,
they are 1 and 0.
"""

import io
import json
import pickle
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from app.core.host import remedies
from app.core.weights.files import CheckpointError, CheckpointFiles, MissingFile, find_checkpoint
from workers.engines.kokoro.names import PARTS, REPOSITORY
from workers.engines.kokoro.package import KModel

__all__ = ["CheckpointError", "CheckpointFiles", "DamagedFile", "MissingFile", "find_checkpoint", "load_model", "load_tensor"]

_PREFIX: Final = "module."
_MAY_LACK: Final = (".norm.weight", ".norm.bias")
_MAY_IGNORE: Final = frozenset({"embeddings.position_ids"})
_UNREADABLE: Final = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError),
    *(pickle.UnpicklingError, struct.error),
)
"""The errors that PyTorch was observed to raise for files of random bytes, and similar ones."""


class DamagedFile(CheckpointError):
    """A file of the checkpoint cannot be used. `reason` is a short phrase."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"Kokoro's file {path} is damaged ({reason}). Delete it and run {remedies.koe('fetch')} to download it again."
        )


def load_model(files: CheckpointFiles) -> KModel:
    """Returns the model on the CPU, in evaluation mode, with its weight norms folded. Raises DamagedFile."""
    config = _read_config(files.config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = _build(config, files.config)
        _fill(model, _read_weights(files.weights), files.weights)
        _fold_weight_norms(model)
    return model.eval().requires_grad_(requires_grad=False)


def load_tensor(path: Path) -> Any:
    """Loads a file of `torch.save` to the CPU, tensors and plain containers only. Raises DamagedFile."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise DamagedFile(path, f"it cannot be read: {type(error).__name__}") from error


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedFile(path, "it is not JSON") from error
    if not isinstance(config, dict) or not isinstance(config.get("vocab"), dict):
        raise DamagedFile(path, "it has no vocabulary")
    return config


def _build(config: dict[str, Any], path: Path) -> KModel:
    """Builds the model without memory for its weights, and without access to the disk or the network. Raises DamagedFile."""
    nothing = io.BytesIO()
    torch.save({}, nothing)
    nothing.seek(0)
    try:
        with _WithoutValues():
            return KModel(repo_id=REPOSITORY, config=config, model=nothing)
    except _UNREADABLE as error:
        raise DamagedFile(path, f"no model can be built from it: {type(error).__name__} {error}") from error


class _WithoutValues(TorchFunctionMode):
    """Within it, weights get no memory and no initial values. These would take half a gigabyte and a second.

    Why not `torch.device("meta")` alone: PyTorch would import 800 modules for some initial values on that device.
    """

    @override
    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if func is torch.empty:
            return func(*args, **given | {"device": "meta"})
        if func is torch.norm_except_dim:
            return args[0].new_empty(len(args[0]), *[1] * (args[0].dim() - 1))
        if func in (torch._weight_norm, torch.Tensor.normal_):
            return args[0].detach()
        if getattr(func, "__module__", None) == torch.nn.init.__name__:
            return given["tensor"] if "tensor" in given else args[0]
        return func(*args, **given)


def _read_weights(path: Path) -> dict[str, Any]:
    parts = load_tensor(path)
    if not isinstance(parts, Mapping) or any(not isinstance(parts.get(part), Mapping) for part in PARTS):
        raise DamagedFile(path, f"it does not hold {', '.join(PARTS)}")
    return dict(parts)


def _fill(model: KModel, parts: Mapping[str, Mapping[str, torch.Tensor]], path: Path) -> None:
    """Makes the tensors of the file the model's own. Raises DamagedFile for an unknown or missing tensor or a wrong shape."""
    for part in PARTS:
        loaded = {key.removeprefix(_PREFIX): tensor for key, tensor in parts[part].items()}
        loaded = {key: tensor for key, tensor in loaded.items() if key not in _MAY_IGNORE}
        module = getattr(model, part)
        own = module.state_dict()
        _check(part, {key: tensor.shape for key, tensor in own.items()}, loaded, path)
        module.load_state_dict({key: _tensor(key, like, loaded) for key, like in own.items()}, assign=True)


def _tensor(key: str, like: torch.Tensor, loaded: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Returns a tensor with the dtype of `like`: the file's, or what leaves a norm without effect."""
    if key in loaded:
        return loaded[key].to(like.dtype).contiguous()
    return torch.full(like.shape, float(key.endswith(".weight")), dtype=like.dtype)


def _check(part: str, shapes: Mapping[str, torch.Size], loaded: Mapping[str, torch.Tensor], path: Path) -> None:
    missing = [key for key in shapes if key not in loaded and not key.endswith(_MAY_LACK)]
    unknown = [key for key in loaded if key not in shapes]
    if missing or unknown:
        key, what = (missing[0], "lacks") if missing else (unknown[0], "has an unknown")
        raise DamagedFile(path, f"it {what} {part}.{key}, {len(missing)} missing and {len(unknown)} unknown in all")
    for key, tensor in loaded.items():
        if tensor.shape != shapes[key]:
            raise DamagedFile(path, f"{part}.{key} is {tuple(tensor.shape)} and should be {tuple(shapes[key])}")


def _fold_weight_norms(model: KModel) -> None:
    """Computes each weight-normed weight once. The package would compute it again at every call, in any thread."""
    for module in model.modules():
        if hasattr(module, "weight_g"):
            torch.nn.utils.remove_weight_norm(module)
