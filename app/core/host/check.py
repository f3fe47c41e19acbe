"""A check of `koe doctor`; the workers' half of the diagnosis sends its checks as JSON."""

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check and its result."""

    name: str
    is_well: bool
    detail: str
    remedy: str = ""
    """The command or setting that fixes it."""
    is_needed: bool = True
    """False when Koe can speak without it, only less well."""
