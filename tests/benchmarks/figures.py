"""Turns measured values into figures."""

from collections.abc import Sequence

Figure = str | int | float | None | list[float]
"""A list is written only to the file: the runs from which a median was computed."""

Row = dict[str, Figure]
"""One row of a table: figures by name, each name ending with its unit."""


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the value below which this share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def spread(values: Sequence[float], *, name: str = "", unit: str = "ms", scale: float = 1000.0) -> Row:
    """Returns p50, p95, p99 and the maximum of values in seconds, by default in milliseconds; None if there are no values."""
    figures: dict[str, float | None] = {
        f"p{share}": percentile(values, share / 100) * scale if values else None for share in (50, 95, 99)
    }
    figures["max"] = max(values) * scale if values else None
    return {" ".join(filter(None, (name, key, unit))): figure for key, figure in figures.items()}


def ratio(a: float | None, b: float | None) -> float | None:
    """Returns a / b; None if one of them was not measured."""
    return a / b if a is not None and b else None
