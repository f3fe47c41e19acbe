"""Fixtures of tests that look at the jobs of a house from both sides."""

from collections.abc import Iterator

import pytest

from app.core.jobs.files import Store, open_store
from app.core.jobs.job_store import JobBook
from tests.house import House


@pytest.fixture(scope="module")
def book(house: House) -> Iterator[JobBook]:
    with house.redis() as redis:
        yield JobBook(redis, job_ttl=house.settings.job_ttl)


@pytest.fixture(scope="module")
def store(house: House) -> Store:
    return open_store(house.settings)
