"""Voice consents in Redis: each owner has some, in pages, with names that may change."""

import pytest
from redis.asyncio import Redis as AsyncRedis

from app.core.custom_voices.custom_voice import VoiceConsent, new_consent_id, now_us
from app.core.custom_voices.voice_consents import MAX_CONSENTS, VoiceConsents
from app.core.errors import InvalidValue, UnknownVoiceConsent, VoiceConsentsFull

pytestmark = pytest.mark.anyio


def a_consent(name: str = "Alice") -> VoiceConsent:
    return VoiceConsent(id=new_consent_id(), name=name, language="en-US", created_us=now_us())


@pytest.fixture
def consents(aredis: AsyncRedis) -> VoiceConsents:
    return VoiceConsents(aredis)


async def test_pages_begin_with_the_newest_and_say_whether_more_follow(consents: VoiceConsents) -> None:
    made = [a_consent(str(n)) for n in range(5)]
    for consent in made:
        await consents.create("me", consent)
    newest = made[::-1]
    assert await consents.list("me", limit=2) == (newest[:2], True)
    assert await consents.list("me", limit=2, after=newest[1].id) == (newest[2:4], True)
    assert await consents.list("me", limit=2, after=newest[3].id) == (newest[4:], False)
    assert await consents.list("me", limit=5) == (newest, False)
    assert await consents.list("me", limit=5, after="") == (newest, False)
    assert await consents.list("you", limit=5) == ([], False)
    with pytest.raises(InvalidValue, match="after"):
        await consents.list("you", limit=2, after=newest[1].id)


async def test_a_consent_is_renamed_and_deleted_by_its_owner_alone(consents: VoiceConsents) -> None:
    consent = a_consent()
    await consents.create("me", consent)
    for use in (consents.get, consents.delete, lambda owner, consent_id: consents.rename(owner, consent_id, "Bob")):
        with pytest.raises(UnknownVoiceConsent):
            await use("you", consent.id)
    assert (await consents.rename("me", consent.id, "Bob")).name == (await consents.get("me", consent.id)).name == "Bob"
    await consents.delete("me", consent.id)
    with pytest.raises(UnknownVoiceConsent):
        await consents.delete("me", consent.id)
    with pytest.raises(UnknownVoiceConsent):
        await consents.rename("me", consent.id, "Carol")


async def test_an_owner_has_a_limit_of_consents(consents: VoiceConsents) -> None:
    made = [a_consent() for _ in range(MAX_CONSENTS)]
    for consent in made:
        await consents.create("me", consent)
    with pytest.raises(VoiceConsentsFull, match="200 voice consents"):
        await consents.create("me", a_consent())
    await consents.rename("me", made[0].id, "still")
    await consents.delete("me", made[0].id)
    await consents.create("me", a_consent())
