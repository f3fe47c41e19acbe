"""How benchmarks show what they have measured."""

from rich.table import Table


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def row(table: Table, name: str, seconds: list[float]) -> None:
    """Adds p50, p95, p99 and the largest, in milliseconds."""
    figures = [percentile(seconds, share) * 1000 for share in (0.5, 0.95, 0.99)] + [max(seconds) * 1000]
    table.add_row(name, *(f"{figure:.1f}" for figure in figures))


def a_table(title: str, *columns: str) -> Table:
    """An empty table of milliseconds."""
    return Table("", *(columns or ("p50 ms", "p95 ms", "p99 ms", "max ms")), title=title, title_justify="left")
