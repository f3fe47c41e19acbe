"""Finding: one thing that `koe doctor` looked at; the workers' half of the examination sends theirs as JSON."""

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    is_well: bool
    detail: str
    remedy: str = ""
    """The command or setting that mends it."""
    is_needed: bool = True
    """False where Koe speaks without it, only less well."""
