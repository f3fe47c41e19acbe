"""The workers' side of the voices that users make: which of them still exist, and their voice packs."""

from collections.abc import Iterable
from typing import cast

from redis import Redis

from app.core.speech.voices import no_custom_voice
from app.core.storage import keys


class CustomPacks:
    """The voice packs of all owners. Every method raises RedisError when Redis is unreachable."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def require(self, voice_ids: Iterable[str]) -> None:
        """Raises InvalidValue for the first voice that has been deleted."""
        for voice_id in voice_ids:
            if not self._redis.exists(keys.voice(voice_id)):
                raise no_custom_voice(voice_id)

    def read(self, voice_id: str) -> bytes:
        """Returns the numbers of a voice pack: float32 in little-endian order, (510, 1, 256). Raises InvalidValue for a voice
        that has been deleted.
        """
        pack = cast("bytes | None", self._redis.get(keys.voice(voice_id)))
        if not pack:
            raise no_custom_voice(voice_id)
        return pack
