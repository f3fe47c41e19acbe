"""Lexicons in Redis: each owner has one, every process knows it at once, and it has a limit."""

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import LexiconFull, LexiconReadOnly, UnknownWord
from app.core.lexicons.lexicons import MAX_WORDS, Lexicons
from app.core.speech.lexicon import LexiconEntry
from app.core.storage import keys

pytestmark = pytest.mark.anyio


def entry(word: str, phonemes: str = "a", language: str = "*") -> LexiconEntry:
    return LexiconEntry(word=word, phonemes=phonemes, language=language)


@pytest.fixture
def lexicons(aredis: AsyncRedis) -> Lexicons:
    return Lexicons(aredis)


async def test_words_are_listed_by_word_and_language(lexicons: Lexicons) -> None:
    words = [entry("b"), entry("Ä", "ˈA"), entry("a", language="en"), entry("a", "kˈOA"), entry("a", language="en-GB")]
    for word in words:
        await lexicons.put("me", word)
    assert await lexicons.entries("me") == [words[3], words[2], words[4], words[0], words[1]]


async def test_a_word_is_replaced_and_deleted(lexicons: Lexicons) -> None:
    await lexicons.put("me", entry("Koe", "a"))
    await lexicons.put("me", entry("Koe", "b"))
    assert await lexicons.entries("me") == [entry("Koe", "b")]
    await lexicons.delete("me", "Koe", "*")
    assert await lexicons.entries("me") == []
    for word, language in (("Koe", "*"), ("koe", "*"), ("", ""), ("version", ""), ("version", "*")):
        with pytest.raises(UnknownWord, match="no word"):
            await lexicons.delete("me", word, language)


async def test_a_lexicon_has_nothing_of_another_owner_s(lexicons: Lexicons) -> None:
    await lexicons.put("me", entry("Koe"))
    assert await lexicons.entries("") == []
    assert (await lexicons.of("me")).entries("Koe", "en-US") == (("Koe", "a"),)
    assert (await lexicons.of("you")).entries("Koe", "en-US") == ()


async def test_another_process_knows_each_change_at_once(lexicons: Lexicons, aredis: AsyncRedis) -> None:
    other = Lexicons(aredis)

    async def known() -> tuple[tuple[str, str], ...]:
        return (await other.of("me")).entries("Koe and you", "en-US")

    assert await known() == ()
    await lexicons.put("me", entry("Koe", "a"))
    assert await known() == (("Koe", "a"),)
    await lexicons.put("me", entry("Koe", "b"))
    await lexicons.put("me", entry("you", "c", "en"))
    assert await known() == (("Koe", "b"), ("you", "c"))
    await lexicons.delete("me", "you", "en")
    assert await known() == (("Koe", "b"),)
    await lexicons.delete("me", "Koe", "*")
    assert await known() == ()
    await lexicons.put("me", entry("Koe", "d"))
    assert await known() == (("Koe", "d"),)


async def test_the_words_are_read_only_after_a_change(lexicons: Lexicons, redis: Redis) -> None:
    await lexicons.put("me", entry("Koe"))
    first = await lexicons.of("me")
    redis.hset(keys.lexicon("me"), "* you", "b")
    assert await lexicons.of("me") is first
    await lexicons.put("me", entry("me"))
    assert (await lexicons.of("me")).entries("you", "en-US") == (("you", "b"),)


async def test_a_lexicon_has_a_limit(lexicons: Lexicons, redis: Redis) -> None:
    await lexicons.put("me", entry("a"))
    redis.hset(keys.lexicon("me"), mapping={f"* word{n}": "a" for n in range(MAX_WORDS - 2)})
    await lexicons.put("me", entry("last"))
    with pytest.raises(LexiconFull, match=f"{MAX_WORDS} words"):
        await lexicons.put("me", entry("more"))
    await lexicons.put("me", entry("last", "b"))
    await lexicons.delete("me", "a", "*")
    await lexicons.put("me", entry("more"))
    assert len(await lexicons.entries("me")) == MAX_WORDS


async def test_a_deleted_lexicon_leaves_nothing(lexicons: Lexicons, redis: Redis) -> None:
    await lexicons.put("me", entry("Koe"))
    await lexicons.delete("me", "Koe", "*")
    assert not redis.exists(keys.lexicon("me"))


async def test_a_lexicon_lives_for_ever(lexicons: Lexicons, redis: Redis) -> None:
    await lexicons.put("me", entry("Koe"))
    assert redis.ttl(keys.lexicon("me")) == -1


async def test_an_operator_can_forbid_changes(lexicons: Lexicons, aredis: AsyncRedis) -> None:
    await lexicons.put("me", entry("Koe"))
    read_only = Lexicons(aredis, is_writable=False)
    with pytest.raises(LexiconReadOnly, match="KOE_LEXICON_WRITABLE"):
        await read_only.put("me", entry("you"))
    with pytest.raises(LexiconReadOnly):
        await read_only.delete("me", "Koe", "*")
    assert await read_only.entries("me") == [entry("Koe")]
    assert (await read_only.of("me")).entries("Koe", "en-US") == (("Koe", "a"),)
