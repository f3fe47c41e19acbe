"""The parameters of a list: how many entries it shows."""

import re
from typing import Final

from app.core.errors import InvalidValue

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100


def read_limit(text: str | None) -> int:
    """The number of entries. Raises InvalidValue."""
    if text is None:
        return DEFAULT_LIMIT
    limit = int(text) if re.fullmatch(r"[0-9]{1,4}", text) else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidValue(f"Invalid value for 'limit': expected an integer from 1 to {MAX_LIMIT}.", param="limit")
    return limit
