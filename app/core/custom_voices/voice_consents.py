"""The API's side of voice consents: create, list, rename and delete.

Why no recording is stored: nothing here makes a voice from one, and what is not stored cannot leak.
"""

from typing import Final, cast

import msgspec
from redis.asyncio import Redis as AsyncRedis

from app.core.custom_voices.custom_voice import VoiceConsent
from app.core.errors import InvalidValue, UnknownVoiceConsent, VoiceConsentsFull
from app.core.storage import keys
from app.core.storage.connections import replicated
from app.core.storage.lua import load_script

MAX_CONSENTS: Final = 200
"""Most consents of an owner."""


class VoiceConsents:
    """The consents of all owners. Every method raises RedisError when Redis is unreachable."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis
        self._put = redis.register_script(load_script(__file__, "put_consent"))

    async def create(self, owner: str, consent: VoiceConsent) -> None:
        """Adds a consent. Raises VoiceConsentsFull."""
        if not await self._write(owner, consent, limit=MAX_CONSENTS):
            raise VoiceConsentsFull(MAX_CONSENTS)
        await replicated(self._redis)

    async def get(self, owner: str, consent_id: str, *, param: str | None = None) -> VoiceConsent:
        """The consent. `param` names the field of the request that has the id, for the error. Raises UnknownVoiceConsent."""
        found = await self._redis.hget(keys.consents_of(owner), consent_id)
        if found is None:
            raise UnknownVoiceConsent(consent_id, param=param)
        return msgspec.json.decode(found, type=VoiceConsent)

    async def list(self, owner: str, *, limit: int, after: str | None = None) -> tuple[list[VoiceConsent], bool]:
        """At most `limit` consents, the newest first, starting after the consent `after`; and whether there are more.

        Raises InvalidValue when `after` is not one of the owner's consents.
        """
        stored = cast("dict[bytes, bytes]", await self._redis.hgetall(keys.consents_of(owner)))
        found = [msgspec.json.decode(consent, type=VoiceConsent) for consent in stored.values()]
        found.sort(key=lambda consent: (consent.created_us, consent.id), reverse=True)
        first = 0
        if after:
            ids = [consent.id for consent in found]
            if after not in ids:
                raise InvalidValue("Invalid value for 'after': no voice consent has that id.", param="after")
            first = ids.index(after) + 1
        return found[first : first + limit], len(found) > first + limit

    async def rename(self, owner: str, consent_id: str, name: str) -> VoiceConsent:
        """Gives the consent another name. Raises UnknownVoiceConsent."""
        renamed = msgspec.structs.replace(await self.get(owner, consent_id), name=name)
        if not await self._write(owner, renamed, limit=0):
            raise UnknownVoiceConsent(consent_id)
        await replicated(self._redis)
        return renamed

    async def delete(self, owner: str, consent_id: str) -> None:
        """Deletes the consent. Voices that were made with it stay. Raises UnknownVoiceConsent."""
        if not await self._redis.hdel(keys.consents_of(owner), consent_id):
            raise UnknownVoiceConsent(consent_id)
        await replicated(self._redis)

    async def _write(self, owner: str, consent: VoiceConsent, *, limit: int) -> bool:
        """Writes a consent that is there, or a new one if fewer than `limit` are there."""
        args: list[str | bytes | int] = [consent.id, msgspec.json.encode(consent), limit]
        return bool(await self._put(keys=[keys.consents_of(owner)], args=args))
