"""The path under which a proxy serves the API."""

import re
from typing import Final

_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def is_path(text: str) -> bool:
    """Whether `text` can stand before another path: it has no scheme, no host, and nothing to escape."""
    return _PATH.fullmatch(text) is not None and "/.." not in text
