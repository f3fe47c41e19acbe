"""spaCy's English model, which Misaki takes its parts of speech from: what it is called, and where it is."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

NAME: Final = "en_core_web_sm"
FOLDER: Final = f"{NAME}-3.8.0"
"""Of its data, as `koe fetch` unpacks it."""


def is_installed() -> bool:
    """Whether it is there as a Python package. Asks without loading it, or spaCy."""
    return find_spec(NAME) is not None


def find(*folders: Path | None) -> str | None:
    """What `spacy.load` takes: the name of the package if it is installed, else the path of the data in one of `folders`. None
    when it is nowhere.
    """
    if is_installed():
        return NAME
    places = (folder / FOLDER for folder in folders if folder is not None)
    return next((str(place) for place in places if (place / "meta.json").is_file()), None)
