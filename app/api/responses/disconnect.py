"""Work that ends when its client disconnects."""

import asyncio
from typing import Any

from litestar.types import Receive

from app.core.errors import Cancelled


async def while_connected(task: asyncio.Task[Any], receive: Receive) -> Any:
    """The task's result. If the client disconnects first, or the caller is cancelled, the task is cancelled and awaited.

    Raises Cancelled when the client has disconnected.
    """
    leaving = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Cancelled("The client has left.")
        return task.result()
    finally:
        for unfinished in (task, leaving):
            unfinished.cancel()
        await asyncio.gather(task, leaving, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
