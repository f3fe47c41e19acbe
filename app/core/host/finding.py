"""Finding: one result of `koe doctor`; the workers' half of the diagnosis sends its findings as JSON."""

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One result."""

    name: str
    is_well: bool
    detail: str
    remedy: str = ""
    """The command or setting that fixes it."""
    is_needed: bool = True
    """False when Koe can speak without it, only less well."""
