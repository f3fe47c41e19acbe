"""Forgets the cached audio of a voice that its user deletes.

Finished audio names such voices in its record, and a segment in its own name. Audio that is being spoken when the voice is
deleted is not cached: `finish.lua` and `put_segment.lua` look whether its voices exist.
"""

from typing import Any

from redis.asyncio import Redis as AsyncRedis

from app.core.storage.lua import load_script


class CustomAudio:
    """The cached audio of voices that users have made."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._forget = redis.register_script(load_script(__file__, "forget_voice"))

    async def forget(self, voice_id: str, client: Any) -> None:
        """Deletes the finished audio and the segments of a voice. `client`: the connection or pipeline that does it."""
        await self._forget(keys=[], args=[voice_id], client=client)
