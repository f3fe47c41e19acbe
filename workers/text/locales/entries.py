"""The smallest entries of the files in this folder: names that are counted, currencies, and texts with placeholders."""

from collections.abc import Sequence
from string import Formatter
from typing import Literal

import msgspec

Words = tuple[str, ...]
Table = dict[str, str]
"""Written form → spoken words."""


def check_placeholders(entry: str, text: str, names: Sequence[str]) -> None:
    """Raises ValueError when `text` has a placeholder in braces that is not in `names`."""
    try:
        found = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise ValueError(f"`{entry}`: {error}") from None
    if not found <= set(names):
        raise ValueError(
            f"`{entry}` has {{{min(found - set(names))}}}; only {', '.join(f'{{{n}}}' for n in names)} is filled in"
        )


class Name(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The name of something that is counted: singular, plural and gender."""

    one: str
    many: str
    gender: Literal["m", "f"] = "m"

    @property
    def is_feminine(self) -> bool:
        """Whether the noun, and with it the number before it, is feminine."""
        return self.gender == "f"


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A currency and its hundredth; None if people do not use the hundredth."""

    unit: Name
    hundredth: Name | None = None
