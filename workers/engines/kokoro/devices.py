"""Finds the PyTorch device that `KOE_DEVICE` names. A separate module, so that an error is raised before the model's import."""

import torch

from app.core.errors import SettingsError


def find_device(name: str) -> torch.device:
    """Returns the device. Raises SettingsError if PyTorch does not know it or this machine does not have it."""
    if name == "auto":
        return torch.device(_devices()[0])
    try:
        device = torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0].partition(". ")[0].rstrip(".")
        raise SettingsError(f"KOE_DEVICE: {name!r} cannot be used here ({reason}). {_choices()}") from None
    if device.type == "meta":
        raise SettingsError(f"KOE_DEVICE: {name!r} computes nothing. {_choices()}")
    return device


def reserved_bytes(device: torch.device) -> int:
    """Returns the memory of a GPU that PyTorch has reserved for this process; 0 for a CPU."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    return torch.mps.driver_allocated_memory() if device.type == "mps" else 0


def _choices() -> str:
    return f"Here it may be {', '.join(_devices())}, or auto for the best."


def _devices() -> list[str]:
    """Returns the devices of this machine, best first."""
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [name for name, is_here in has.items() if is_here]
