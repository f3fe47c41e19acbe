"""spaCy's English model, from which Misaki takes its part-of-speech tags: its name and where it is."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

NAME: Final = "en_core_web_sm"
FOLDER: Final = f"{NAME}-3.8.0"
"""Name of the folder of its data, as `koe fetch` unpacks it."""


def is_installed() -> bool:
    """Returns whether it is installed as a Python package, without loading it or spaCy."""
    return find_spec(NAME) is not None


def find(*folders: Path | None) -> str | None:
    """Returns the argument for `spacy.load`: the name of the package if it is installed, else the path of the data in one of
    `folders`. None if it is nowhere.
    """
    if is_installed():
        return NAME
    places = (folder / FOLDER for folder in folders if folder is not None)
    return next((str(place) for place in places if (place / "meta.json").is_file()), None)
