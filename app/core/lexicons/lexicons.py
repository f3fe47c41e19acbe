"""Stores the lexicon of each owner, and gives it to requests.

Why a version beside the words: a request asks Redis for the version alone, and reads the words only if they have changed. So
every API process knows a new word at once, also after an outage, and a thousand words cost no more than one.
"""

import secrets
from typing import Final, cast

from redis.asyncio import Redis as AsyncRedis

from app.core.errors import LexiconFull, LexiconReadOnly, UnknownWord
from app.core.speech.lexicon import Lexicon, LexiconEntry, to_lexicon
from app.core.storage import keys
from app.core.storage.connections import replicated
from app.core.storage.lua import load_script

MAX_WORDS: Final = 1000
"""Limit of the entries of one owner."""
_MAX_CACHED: Final = 256
"""Most owners whose lexicons a process keeps in memory."""
_VERSION: Final = "version"
"""The field with the version. The name of an entry's field is its language, a space and its word."""
_EMPTY: Final = Lexicon()


class Lexicons:
    """The lexicons of all owners. Every method raises RedisError when Redis is unreachable."""

    def __init__(self, redis: AsyncRedis, *, is_writable: bool = True) -> None:
        """`is_writable`: whether users may change their lexicons."""
        self._redis = redis
        self._is_writable = is_writable
        self._cached: dict[str, tuple[bytes, Lexicon]] = {}
        self._put = redis.register_script(load_script(__file__, "put"))
        self._delete = redis.register_script(load_script(__file__, "delete"))

    async def entries(self, owner: str) -> list[LexiconEntry]:
        """The owner's entries, sorted by word."""
        return _entries(await self._read(owner))

    async def put(self, owner: str, entry: LexiconEntry) -> None:
        """Adds an entry, or replaces that of the same word and language. Raises LexiconReadOnly or LexiconFull."""
        self._require_writable()
        args: list[str | int] = [_field(entry.language, entry.word), entry.phonemes, _VERSION, secrets.token_hex(8), MAX_WORDS]
        if not await self._put(keys=[keys.lexicon(owner)], args=args):
            raise LexiconFull(MAX_WORDS)
        await replicated(self._redis)

    async def delete(self, owner: str, word: str, language: str) -> None:
        """Deletes an entry. Raises LexiconReadOnly or UnknownWord."""
        self._require_writable()
        args = [_field(language, word), _VERSION, secrets.token_hex(8)]
        if not await self._delete(keys=[keys.lexicon(owner)], args=args):
            raise UnknownWord(word, language)
        await replicated(self._redis)

    async def of(self, owner: str) -> Lexicon:
        """The owner's lexicon as it is now."""
        version = cast("bytes | None", await self._redis.hget(keys.lexicon(owner), _VERSION))
        if version is None:
            return _EMPTY
        known, lexicon = self._cached.get(owner, (b"", _EMPTY))
        return lexicon if known == version else await self._load(owner)

    async def _load(self, owner: str) -> Lexicon:
        fields = await self._read(owner)
        lexicon = to_lexicon(_entries(fields))
        if len(self._cached) >= _MAX_CACHED:
            self._cached.clear()
        self._cached[owner] = (fields.get(_VERSION.encode(), b""), lexicon)
        return lexicon

    async def _read(self, owner: str) -> dict[bytes, bytes]:
        return cast("dict[bytes, bytes]", await self._redis.hgetall(keys.lexicon(owner)))

    def _require_writable(self) -> None:
        if not self._is_writable:
            raise LexiconReadOnly


def _field(language: str, word: str) -> str:
    return f"{language} {word}"


def _entries(fields: dict[bytes, bytes]) -> list[LexiconEntry]:
    found = []
    for field, phonemes in fields.items():
        language, space, word = field.decode().partition(" ")
        if space:
            found.append(LexiconEntry(word=word, phonemes=phonemes.decode(), language=language))
    return sorted(found, key=lambda entry: (entry.word.casefold(), entry.word, entry.language))
