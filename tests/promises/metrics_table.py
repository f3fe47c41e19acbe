"""`python -m tests.promises.metrics_table`: writes the table of metrics in the guide from `app/core/metrics/table.py`."""

import re

from app.core.metrics.table import TABLE, MetricInfo, Source
from tests.promises.guides import OPERATORS, read

HEAD = "| metric | from | meaning |\n|---|---|---|\n"
PROCESS = "| `koe_process_*` | API | memory, CPU seconds and open files of the API process |"
FROM = {Source.API: "API", Source.WORKERS: "workers", Source.REDIS: "Redis"}


def row_of(metric: MetricInfo) -> str:
    labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
    kind = "histogram: " if metric.kind.value == "histogram" else ""
    return f"| `{metric.name}{labels}` | {FROM[metric.source]} | {kind}{metric.help[0].lower()}{metric.help[1:].rstrip('.')} |"


def table() -> str:
    """The rows of the guide, as the table in the code says them."""
    return HEAD + "\n".join([*map(row_of, TABLE.values()), PROCESS]) + "\n"


def written() -> str:
    """The rows that the guide has now."""
    found = re.search(re.escape(HEAD) + r"(?:\|.*\n)+", read(OPERATORS))
    return found[0] if found else ""


if __name__ == "__main__":
    OPERATORS.write_text(read(OPERATORS).replace(written(), table()), "utf-8")
