"""The voices of users in Redis: each owner has some, every process knows them at once, and a deleted one leaves no audio."""

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.custom_voices.custom_voice import CustomVoice, new_voice_id, now_us
from app.core.custom_voices.custom_voices import MAX_VOICES, CustomVoices
from app.core.custom_voices.packs import CustomPacks
from app.core.errors import InvalidValue, UnknownVoice, VoicesFull
from app.core.queue.registry import Attempt, Lease, Registry, Report, WorkerRegistry
from app.core.queue.segment_cache import Budget, SegmentCache
from app.core.speech.voices import BlendPart, load_catalogue
from app.core.storage import keys

pytestmark = pytest.mark.anyio

CATALOGUE = load_catalogue()
REPORT = Report(n_segments=1, n_phonemes=1, audio_seconds=1.0, n_bytes=1)


def a_pack(name: str = "mine") -> CustomVoice:
    return CustomVoice(id=new_voice_id(), name=name, type="audio_sample", created_us=now_us(), language="fr-FR")


def a_blend(blend: str = "af_heart(0.5)+bf_emma(0.5)") -> CustomVoice:
    return msgspec.structs.replace(a_pack(), type="prompt", prompt=blend, blend=blend, language="en-US")


@pytest.fixture
def voices(aredis: AsyncRedis) -> CustomVoices:
    return CustomVoices(aredis)


async def test_voices_are_listed_in_the_order_of_their_creation(voices: CustomVoices) -> None:
    made = [a_pack("b"), a_blend(), a_pack("a")]
    for voice in made:
        await voices.create("me", voice, b"pack")
    assert await voices.of("me") == tuple(made)


async def test_an_owner_has_nothing_of_another_owner_s(voices: CustomVoices) -> None:
    voice = a_pack()
    await voices.create("me", voice, b"pack")
    assert await voices.of("") == await voices.of("you") == ()
    with pytest.raises(UnknownVoice):
        await voices.delete("you", voice.id)
    assert await voices.of("me") == (voice,)


async def test_another_process_knows_each_change_at_once(voices: CustomVoices, aredis: AsyncRedis) -> None:
    other, first, second = CustomVoices(aredis), a_pack(), a_pack()
    assert await other.of("me") == ()
    await voices.create("me", first, b"pack")
    assert await other.of("me") == (first,)
    await voices.create("me", second, b"pack")
    assert await other.of("me") == (first, second)
    await voices.delete("me", first.id)
    assert await other.of("me") == (second,)


async def test_the_catalogue_of_an_owner_has_packs_as_voices_and_blends_as_aliases(voices: CustomVoices) -> None:
    pack, blend = a_pack(), a_blend()
    await voices.create("me", pack, b"pack")
    await voices.create("me", blend)

    catalogue = await voices.catalogue_of("me", CATALOGUE)

    assert catalogue.parse(pack.id) == ((BlendPart(pack.id, 1.0),), "fr-FR")
    assert catalogue.parse(blend.id) == CATALOGUE.parse("af_heart+bf_emma")
    assert catalogue.parse(f"{pack.id}+af_heart")[0] == (BlendPart("af_heart", 0.5), BlendPart(pack.id, 0.5))
    with pytest.raises(InvalidValue, match="is a blend, which cannot be a part of another blend"):
        catalogue.parse(f"{blend.id}+af_heart")
    with pytest.raises(InvalidValue, match="You have no voice with this id"):
        (await voices.catalogue_of("you", CATALOGUE)).parse(pack.id)
    with pytest.raises(InvalidValue, match=r"Supported values are: 'alloy'") as caught:
        catalogue.parse("nobody")
    assert blend.id not in caught.value.message


async def test_an_owner_has_a_limit_of_voices(voices: CustomVoices) -> None:
    made = [a_pack() for _ in range(MAX_VOICES)]
    for voice in made:
        await voices.create("me", voice, b"pack")
    with pytest.raises(VoicesFull, match="20 voices"):
        await voices.create("me", a_pack(), b"pack")
    await voices.create("you", a_pack(), b"pack")
    await voices.delete("me", made[0].id)
    await voices.create("me", a_pack(), b"pack")


async def test_a_deleted_voice_leaves_nothing(voices: CustomVoices, redis: Redis) -> None:
    voice = a_pack()
    await voices.create("me", voice, b"pack")
    assert redis.ttl(keys.voice(voice.id)) == redis.ttl(keys.voices_of("me")) == -1
    await voices.delete("me", voice.id)
    assert not redis.exists(keys.voice(voice.id), keys.voices_of("me"))
    for voice_id in (voice.id, "version", "", "af_heart"):
        with pytest.raises(UnknownVoice):
            await voices.delete("me", voice_id)


async def test_workers_read_a_pack_until_it_is_deleted(voices: CustomVoices, redis: Redis) -> None:
    voice, packs = a_pack(), CustomPacks(redis)
    await voices.create("me", voice, b"pack")
    packs.require([voice.id])
    assert packs.read(voice.id) == b"pack"
    await voices.delete("me", voice.id)
    for use in (lambda: packs.require([voice.id]), lambda: packs.read(voice.id)):
        with pytest.raises(InvalidValue, match="it was deleted") as caught:
            use()
        assert caught.value.param == "voice"


async def test_the_segments_of_a_deleted_voice_are_forgotten_and_no_others(voices: CustomVoices, redis: Redis) -> None:
    mine, others = a_pack(), a_pack()
    await voices.create("me", mine, b"pack")
    await voices.create("me", others, b"pack")
    cache = SegmentCache(redis, "task", budget=Budget(task_bytes=0, segment_bytes=1000))
    names = [f"one:{mine.id}", f"two:{others.id}:{mine.id}", f"three:{others.id}", "four"]
    for name in names:
        cache.put(name.encode(), b"pcm", name)

    await voices.delete("me", mine.id)

    assert [cache.get(name.encode(), name) for name in names] == [None, None, b"pcm", b"pcm"]
    assert redis.hget(keys.SEGMENT_SIZES, "total") == b"6"


async def test_a_segment_of_a_deleted_voice_is_not_cached_later(voices: CustomVoices, redis: Redis) -> None:
    voice = a_pack()
    await voices.create("me", voice, b"pack")
    await voices.delete("me", voice.id)
    cache = SegmentCache(redis, "task", budget=Budget(task_bytes=0, segment_bytes=1000))
    cache.put(b"digest", b"pcm", f"name:{voice.id}")
    assert cache.get(b"digest", f"name:{voice.id}") is None


class Spoken:
    """Utterances that are spoken in a registry."""

    def __init__(self, redis: Redis, aredis: AsyncRedis) -> None:
        limits = {"cache_ttl": 60, "cache_bytes": 1000}
        self.api = Registry(aredis, api="api", queued_ttl=60, stream_bytes=1000, **limits)
        self.worker = WorkerRegistry(redis, worker="worker", **limits)

    async def begin(self, utterance_id: str) -> tuple[Attempt, Lease]:
        found = await self.api.attach(utterance_id)
        assert found is not None
        lease = self.worker.lease(utterance_id)
        assert lease is not None
        return found[1], lease

    async def is_cached(self, utterance_id: str) -> bool:
        found = await self.api.attach(utterance_id)
        assert found is not None
        await self.api.detach(found[1])
        return found[0].value == "hit"


@pytest.fixture
def spoken(redis: Redis, aredis: AsyncRedis) -> Spoken:
    return Spoken(redis, aredis)


async def test_the_finished_audio_of_a_deleted_voice_is_forgotten_and_no_other(
    voices: CustomVoices, spoken: Spoken, redis: Redis
) -> None:
    mine, others = a_pack(), a_pack()
    await voices.create("me", mine, b"pack")
    await voices.create("me", others, b"pack")
    attempts = {}
    for utterance_id, used in (("mine", [mine.id, others.id]), ("others", [others.id]), ("usual", [])):
        attempts[utterance_id], lease = await spoken.begin(utterance_id)
        spoken.worker.finish(lease, REPORT, used)
        await spoken.api.detach(attempts[utterance_id])

    await voices.delete("me", mine.id)

    assert not redis.exists(*attempts["mine"].both)
    assert [await spoken.is_cached(utterance_id) for utterance_id in attempts] == [False, True, True]


async def test_audio_that_is_finished_after_its_voice_was_deleted_is_for_its_present_readers_alone(
    voices: CustomVoices, spoken: Spoken, redis: Redis
) -> None:
    voice = a_pack()
    await voices.create("me", voice, b"pack")
    attempt, lease = await spoken.begin("mine")
    await voices.delete("me", voice.id)

    spoken.worker.finish(lease, REPORT, [voice.id])

    assert redis.exists(*attempt.both) == 2
    await spoken.api.detach(attempt)
    assert not redis.exists(*attempt.both)
