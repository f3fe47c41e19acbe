"""The speed of a part of a text, as SSML's `prosody rate` names it."""

import re
from typing import Final

_NAMES: Final = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}
_NUMBER: Final = re.compile(r"([+-]?)([0-9]{1,4}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(%?)")
_MIN: Final = 0.1
_MAX: Final = 10.0


def read_rate(text: str) -> float | None:
    """Returns the speed as a multiple of that around it: 0.75 for `slow`, `75%` and `-25%`. None if it is not understood."""
    text = text.strip().lower()
    if text in _NAMES:
        return _NAMES[text]
    match = _NUMBER.fullmatch(text.replace("−", "-"))
    if match is None:
        return None
    value = float(match[2]) / (100 if match[3] else 1)
    rate = value if not match[1] else 1 + value if match[1] == "+" else 1 - value
    return min(max(rate, _MIN), _MAX)
