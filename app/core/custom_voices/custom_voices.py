"""The API's side of the voices that users make: create, list and delete, and the catalogue that a user's requests may name.

Why a version beside the voices: as in `app.core.lexicons`, a request asks Redis for the version alone.
"""

import secrets
from typing import Final, cast

import msgspec
from redis.asyncio import Redis as AsyncRedis

from app.core.custom_voices.custom_voice import CustomVoice
from app.core.errors import UnknownVoice, VoicesFull
from app.core.queue.custom_audio import CustomAudio
from app.core.speech.voices import Catalogue, Voice
from app.core.storage import keys
from app.core.storage.connections import replicated
from app.core.storage.lua import load_script

MAX_VOICES: Final = 20
"""Most voices of an owner, as at OpenAI's."""
_MAX_CACHED: Final = 256
"""Most owners whose voices a process keeps in memory."""
_VERSION: Final = "version"
"""The field with the version. The name of a voice's field is its id."""


class CustomVoices:
    """The voices of all owners. Every method raises RedisError when Redis is unreachable."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis
        self._cached: dict[str, tuple[bytes, tuple[CustomVoice, ...]]] = {}
        self._audio = CustomAudio(redis)
        self._create = redis.register_script(load_script(__file__, "create_voice"))
        self._delete = redis.register_script(load_script(__file__, "delete_voice"))

    async def create(self, owner: str, voice: CustomVoice, pack: bytes = b"") -> None:
        """Adds a voice. `pack`: the numbers of a voice pack; empty for a blend. Raises VoicesFull."""
        args: list[str | bytes | int] = [voice.id, msgspec.json.encode(voice), pack, _VERSION, secrets.token_hex(8), MAX_VOICES]
        if not await self._create(keys=[keys.voices_of(owner), keys.voice(voice.id)], args=args):
            raise VoicesFull(MAX_VOICES)
        await replicated(self._redis)

    async def of(self, owner: str) -> tuple[CustomVoice, ...]:
        """The owner's voices as they are now, the oldest first."""
        version = cast("bytes | None", await self._redis.hget(keys.voices_of(owner), _VERSION))
        if version is None:
            return ()
        known, voices = self._cached.get(owner, (b"", ()))
        return voices if known == version else await self._load(owner)

    async def catalogue_of(self, owner: str, catalogue: Catalogue) -> Catalogue:
        """The catalogue with the owner's voices."""
        voices = await self.of(owner)
        packs = {one.id: Voice(id=one.id, language=one.language, gender="") for one in voices if not one.blend}
        blends = {one.id: one.blend for one in voices if one.blend}
        return Catalogue(catalogue.voices | packs, catalogue.aliases | blends)

    async def delete(self, owner: str, voice_id: str) -> None:
        """Deletes a voice, and all audio of it that is cached. Raises UnknownVoice."""
        if voice_id == _VERSION or not await self._redis.hexists(keys.voices_of(owner), voice_id):
            raise UnknownVoice(voice_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            args = [voice_id, _VERSION, secrets.token_hex(8)]
            await self._delete(keys=[keys.voices_of(owner), keys.voice(voice_id)], args=args, client=pipe)
            await self._audio.forget(voice_id, pipe)
            is_deleted, _ = await pipe.execute()
        if not is_deleted:
            raise UnknownVoice(voice_id)
        await replicated(self._redis)

    async def _load(self, owner: str) -> tuple[CustomVoice, ...]:
        fields = cast("dict[bytes, bytes]", await self._redis.hgetall(keys.voices_of(owner)))
        version = fields.pop(_VERSION.encode(), b"")
        found = [msgspec.json.decode(voice, type=CustomVoice) for voice in fields.values()]
        voices = tuple(sorted(found, key=lambda voice: (voice.created_us, voice.id)))
        if len(self._cached) >= _MAX_CACHED:
            self._cached.clear()
        self._cached[owner] = version, voices
        return voices
