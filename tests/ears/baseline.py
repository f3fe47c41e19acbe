"""The stored baseline: the last accepted results, and the margin by which a run may be worse.

Why margins: another processor rounds differently, and then Whisper may write another word. A margin is larger than this effect
and smaller than a difference that a person would notice.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from tests.ears.report import Row, Rows

PATH: Final = Path(__file__).parent / "baseline.json"


class Margin(msgspec.Struct, frozen=True):
    """The allowed difference of a figure from the baseline."""

    amount: float
    is_more_better: bool | None = False
    """None: the figure is limited in both directions."""
    share: float = 0.0
    """Share of the baseline's figure, added to `amount`: figures with many errors vary more."""

    def limit(self, before: float) -> float:
        """Returns the largest allowed difference."""
        return self.amount + self.share * abs(before)

    def is_broken(self, now: float, before: float) -> bool:
        """Whether `now` is worse than the limit. NaN is worse."""
        change = now - before
        worse = abs(change) if self.is_more_better is None else -change if self.is_more_better else change
        return not worse <= self.limit(before)


MARGINS: Final[dict[str, Margin]] = {
    "word errors %": Margin(4.0, share=0.3),
    "character errors %": Margin(2.5, share=0.3),
    "DNSMOS": Margin(0.15, is_more_better=True),
    "LUFS": Margin(1.5, is_more_better=None),
    "pitch Hz": Margin(15.0, is_more_better=None),
    "understood %": Margin(16.0, is_more_better=True),
    "length error %": Margin(1.5),
    "longest pause s": Margin(0.3),
    "LUFS from median": Margin(0.4),
    "peak dBFS": Margin(1.0),
    "joint step LU": Margin(1.5),
    "typical error s": Margin(0.02),
    "p95 error s": Margin(0.1),
    "distinct": Margin(2.0, is_more_better=True),
    "missed": Margin(0.0),
    "false alarms": Margin(0.0),
    "wrong": Margin(0.0),
}
"""Figures without a margin are reported and not compared."""


def read_baseline(path: Path = PATH) -> dict[str, Rows]:
    """Returns part → its rows; empty without a stored baseline."""
    if not path.exists():
        return {}
    found: dict[str, Rows] = json.loads(path.read_text(encoding="utf-8"))
    return found


def write_baseline(parts: Mapping[str, Rows], path: Path = PATH) -> None:
    """Replaces the measured parts and keeps the others. It writes one line for each row, so that diffs are easy to read."""
    merged = {
        **read_baseline(path),
        **{part: {name: _compared(row) for name, row in rows.items()} for part, rows in parts.items()},
    }
    lines = ",\n".join(f" {json.dumps(part)}: {{\n{_write_rows(rows)}\n }}" for part, rows in sorted(merged.items()))
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def worse_than(baseline: Mapping[str, Rows], parts: Mapping[str, Rows]) -> Iterator[str]:
    """Yields a sentence for each figure of a measured part that is worse by more than its margin, or is missing."""
    for part, rows in parts.items():
        for name, before in baseline.get(part, {}).items():
            yield from (f"{part}, {name}: {change}" for change in _changes(before, rows.get(name, {})))


def _changes(before: Row, now: Row) -> Iterator[str]:
    for figure, value in before.items():
        if isinstance(value, int | float) and _is_broken(figure, now.get(figure), value):
            yield f"{figure} is {now.get(figure)}, was {value} (margin {MARGINS[figure].limit(value):.3g})."


def _is_broken(figure: str, now: object, before: float) -> bool:
    if figure not in MARGINS:
        return False
    return not isinstance(now, int | float) or MARGINS[figure].is_broken(now, before)


def _compared(row: Row) -> Row:
    return {name: figure for name, figure in row.items() if name in MARGINS and figure is not None}


def _write_rows(rows: Rows) -> str:
    return ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
