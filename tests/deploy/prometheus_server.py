"""A Prometheus on a free port of loopback, which scrapes Koe every second."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from tests.deploy.queries import ALERTS
from tests.harness import free_port, wait_until

JOB: Final = "koe"
WINDOW: Final = "30s"
"""Time that rates look back: six of the intervals at which workers hand their counts over."""

Points = list[tuple[float, float]]


class Series(msgspec.Struct, frozen=True):
    """One line of a panel."""

    labels: dict[str, str]
    points: Points
    """Time in seconds since 1970, and the value."""


class Prometheus:
    """A running Prometheus."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def is_up(self) -> bool:
        """Whether it has scraped Koe."""
        try:
            return bool(self.now(f'up{{job="{JOB}"}} == 1'))
        except httpx.HTTPError:
            return False

    def now(self, expr: str) -> list[Series]:
        """Returns the values of a query at this moment."""
        found = self._ask("query", query=expr)["result"]
        return [_series(one["metric"], [one["value"]]) for one in found]

    def over(self, expr: str, start: float, end: float) -> list[Series]:
        """Returns the values of a query for each second."""
        found = self._ask("query_range", query=expr, start=start, end=end, step=1)["result"]
        return [_series(one["metric"], one["values"]) for one in found]

    def firing(self) -> list[str]:
        """Returns the names of the alerts that fire or are about to."""
        return sorted({alert["labels"]["alertname"] for alert in self._ask("alerts")["alerts"]})

    def _ask(self, path: str, **parameters: Any) -> dict[str, Any]:
        answer = self._http.get(f"/api/v1/{path}", params=parameters)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            answer.raise_for_status()  # It has not read its files yet, and does not answer with JSON.
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(f"{parameters}: {body['error']}")
        data: dict[str, Any] = body["data"]
        return data


def _series(labels: dict[str, str], values: list[tuple[float, str]]) -> Series:
    return Series(labels, [(float(time), float(value)) for time, value in values])


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """Starts Prometheus with Koe's alert rules and files in `folder`. `target`: host and port. Ends it with the context."""
    port = free_port()
    command = [shutil.which("prometheus") or "prometheus", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    command += [f"--config.file={_config(folder, target)}", f"--storage.tsdb.path={folder / 'prometheus'}"]
    process = subprocess.Popen(command)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            server = Prometheus(http)
            wait_until(server.is_up)
            yield server
    finally:
        process.terminate()
        process.wait()


def _config(folder: Path, target: str) -> Path:
    """Writes the configuration. JSON is YAML too."""
    path = folder / "prometheus.yml"
    timing = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    scraping = [{"job_name": JOB, "static_configs": [{"targets": [target]}]}]
    path.write_text(json.dumps({"global": timing, "rule_files": [str(ALERTS)], "scrape_configs": scraping}))
    return path
