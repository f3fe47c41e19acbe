"""Fixtures for the tests of jobs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.jobs.jobs import Jobs
from app.core.storage import keys
from app.core.storage.notifier import Notifier
from tests.engines import GatedEngine
from tests.job_harness import JobHarness


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def gated(background: ThreadPoolExecutor) -> Iterator[GatedEngine]:
    """Yields an engine. At the end, releases all background threads that wait for it."""
    engine = GatedEngine()
    yield engine
    engine.release(1000)


@pytest.fixture
async def harness(redis: Redis, aredis: AsyncRedis, tmp_path: Path) -> Any:
    harness = JobHarness(redis, Jobs(aredis, Notifier(aredis, keys.JOB_NOTIFICATIONS), job_ttl=60), tmp_path)
    yield harness
    harness.scheduler.close()
