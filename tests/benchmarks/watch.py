"""`python -m tests.benchmarks.watch URL SECONDS`: requests /healthz every 50 ms, prints each response time as JSON.

Why a separate process: among the clients of a benchmark it would measure how long they wait for each other.
"""

import json
import sys
import time

import httpx


def watch(url: str, seconds: float) -> list[float]:
    """Returns the seconds of each response. Raises httpx.HTTPStatusError for an error status."""
    answers = []
    end = time.monotonic() + seconds
    with httpx.Client(base_url=url, timeout=30) as http:
        while (started := time.monotonic()) < end:
            http.get("/healthz").raise_for_status()
            answers.append(time.monotonic() - started)
            time.sleep(0.05)
    return answers


if __name__ == "__main__":
    sys.stdout.write(json.dumps(watch(sys.argv[1], float(sys.argv[2]))))
