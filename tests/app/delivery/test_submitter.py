"""The delays between two submissions: they grow, and little more time passes than was needed."""

import asyncio
from itertools import accumulate, pairwise

import pytest

from app.delivery.submitter import attempts

pytestmark = pytest.mark.anyio


async def test_a_delay_is_at_most_a_sixth_of_the_time_before_it_or_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    delays: list[float] = []
    is_enough = asyncio.Event()

    async def note(seconds: float) -> None:
        delays.append(seconds)
        if sum(delays) > 60:
            is_enough.set()
            await asyncio.Event().wait()

    monkeypatch.setattr("app.delivery.submitter.asyncio.sleep", note)

    async def run() -> None:
        async for _ in attempts(3600):
            pass

    running = asyncio.ensure_future(run())
    await is_enough.wait()
    running.cancel()

    assert max(delays) == pytest.approx(0.5)
    assert all(one <= other for one, other in pairwise(delays))
    passed = accumulate(delays)
    assert all(delay <= delays[0] + total / 6 for total, delay in zip(passed, delays[1:], strict=False))
