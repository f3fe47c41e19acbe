"""`/v1/audio/lexicon`: the words that a user has given phonemes, for all requests with the same key."""

from typing import Any

import msgspec
from litestar import Request, delete, get, put
from litestar.params import FromPath

from app.api.dependencies import Given
from app.api.middleware.auth import owner_of, require_key
from app.api.requests.bodies import read_fields
from app.api.requests.lexicon import read_entry
from app.core.lexicons.lexicons import Lexicons
from app.core.speech.lexicon import LexiconEntry, canonical_tag
from app.core.storage.connections import reachable

_PATH = "/v1/audio/lexicon"

_Request = Request[Any, Any, Any]


class LexiconList(msgspec.Struct, frozen=True, kw_only=True):
    """All entries of one owner, sorted by word."""

    object: str = "list"
    data: list[LexiconEntry]


@get(_PATH, guards=[require_key])
async def list_words(request: _Request, lexicons: Given[Lexicons]) -> LexiconList:
    """The owner's lexicon."""
    with reachable():
        return LexiconList(data=await lexicons.entries(owner_of(request)))


@put(_PATH, guards=[require_key], status_code=200)
async def put_word(request: _Request, lexicons: Given[Lexicons]) -> LexiconEntry:
    """Adds a word, or replaces its phonemes."""
    entry = read_entry(await read_fields(request))
    with reachable():
        await lexicons.put(owner_of(request), entry)
    return entry


@delete(f"{_PATH}/{{language:str}}/{{word:str}}", guards=[require_key], status_code=204)
async def delete_word(request: _Request, language: FromPath[str], word: FromPath[str], lexicons: Given[Lexicons]) -> None:
    """Deletes a word."""
    with reachable():
        await lexicons.delete(owner_of(request), word, canonical_tag(language))
