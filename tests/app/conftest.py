"""Fixtures of tests that look at the jobs of a harness from both sides."""

from collections.abc import Iterator

import pytest

from app.core.jobs.files import Store
from app.core.jobs.job_store import JobStore
from tests.harness import Harness


@pytest.fixture(scope="module")
def job_store(harness: Harness) -> Iterator[JobStore]:
    with harness.redis() as redis:
        yield JobStore(redis, job_ttl=harness.settings.job_ttl)


@pytest.fixture(scope="module")
def store(harness: Harness) -> Store:
    return Store(harness.settings.store_url)
