"""The home of this user, who may have none: any user id may be given to a container, and no list there names it."""

from pathlib import Path
from typing import Final

_NONE: Final = Path("/nonexistent")
"""As Debian's policy names it. Nothing is ever found there."""


def home() -> Path:
    """The home folder; one that is not there for a user without."""
    try:
        return Path.home()
    except RuntimeError:
        return _NONE


def expand_home(path: Path) -> Path:
    """`~/folder` within the home."""
    return home().joinpath(*path.parts[1:]) if path.parts[:1] == ("~",) else path
