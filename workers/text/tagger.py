"""spaCy's English model, which Misaki takes its parts of speech from: what it is called, and whether it is installed."""

from importlib.util import find_spec
from typing import Final

NAME: Final = "en_core_web_sm"


def is_installed() -> bool:
    """Asks without loading it, or spaCy."""
    return find_spec(NAME) is not None
