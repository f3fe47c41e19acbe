"""Where PyTorch computes: the device that `KOE_DEVICE` names. Apart, so that a mistake is told before the model is imported."""

import torch

from app.core.errors import SettingsError


def find_device(name: str) -> torch.device:
    """Raises SettingsError for a device that PyTorch does not know or has not got here."""
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


def _choices() -> str:
    return f"Here it may be {', '.join(_devices())}, or auto for the best."


def _devices() -> list[str]:
    """Those that are here, the best first."""
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [name for name, is_here in has.items() if is_here]
