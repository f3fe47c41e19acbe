"""The home folder of this user. There may be none: a container can run under any user id, also an unknown one."""

from pathlib import Path
from typing import Final

_NONE: Final = Path("/nonexistent")
"""A folder that never exists; Debian's policy reserves this path."""


def home() -> Path:
    """The home folder; a path that does not exist for a user without one."""
    try:
        return Path.home()
    except RuntimeError:
        return _NONE


def expand_home(path: Path) -> Path:
    """The path with a leading `~` replaced by the home folder."""
    return home().joinpath(*path.parts[1:]) if path.parts[:1] == ("~",) else path
