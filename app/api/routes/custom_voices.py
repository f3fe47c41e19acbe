"""The voices that users make, as at OpenAI's: `/v1/audio/voices` and `/v1/audio/voice_consents`.

Why a consent is optional for a voice: neither a blend nor a pack is made here from anybody's recording. Clients of
OpenAI's that send one are understood all the same.
"""

import asyncio
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response, delete, get, post
from litestar.params import FromPath

from app.access.limiter import Limiter
from app.api.dependencies import Given
from app.api.facts import note
from app.api.middleware.auth import key_of, owner_of, require_key
from app.api.requests.bodies import read_fields
from app.api.requests.custom_voices import (
    DEFAULT_LANGUAGE,
    VoiceRequest,
    read_consent_request,
    read_name,
    read_sample,
    read_voice_request,
)
from app.api.requests.fields import MEDIA_TYPE as JSON
from app.api.requests.lists import read_limit
from app.api.requests.uploads import media_type_of, read_form, texts_in
from app.api.responses.rate_limit_headers import rate_headers
from app.core.custom_voices.custom_voice import (
    CustomVoice,
    VoiceConsent,
    VoiceType,
    new_consent_id,
    new_voice_id,
    now_us,
)
from app.core.custom_voices.custom_voices import CustomVoices
from app.core.custom_voices.voice_consents import VoiceConsents
from app.core.request_limits import VOICE_BODY_BYTES
from app.core.speech.languages import find_language
from app.core.speech.voices import Catalogue
from app.core.storage.connections import reachable

log: Final = structlog.get_logger()

_VOICES: Final = "/v1/audio/voices"
_CONSENTS: Final = "/v1/audio/voice_consents"
_CONSENT: Final = f"{_CONSENTS}/{{consent_id:str}}"
_MICROSECONDS: Final = 1_000_000

_Request = Request[Any, Any, Any]


class CustomVoiceObject(msgspec.Struct, frozen=True, kw_only=True):
    """A voice in OpenAI's form."""

    id: str
    object: str = "audio.voice"
    created_at: int
    """Seconds since 1970."""
    name: str
    type: VoiceType
    prompt: str | msgspec.UnsetType = msgspec.UNSET
    """The blend as it was sent; not there for a voice pack."""


class DeletedVoice(msgspec.Struct, frozen=True, kw_only=True):
    """The answer about a voice that has been deleted."""

    id: str
    object: str = "audio.voice.deleted"
    deleted: bool = True


class VoiceConsentObject(msgspec.Struct, frozen=True, kw_only=True):
    """A consent in OpenAI's form."""

    id: str
    object: str = "audio.voice_consent"
    created_at: int
    """Seconds since 1970."""
    name: str
    language: str


class VoiceConsentList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the consents of one owner, the newest first."""

    object: str = "list"
    data: list[VoiceConsentObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedVoiceConsent(msgspec.Struct, frozen=True, kw_only=True):
    """The answer about a consent that has been deleted."""

    id: str
    object: str = "audio.voice_consent"
    deleted: bool = True


@post(_VOICES, guards=[require_key], status_code=200, request_max_body_size=VOICE_BODY_BYTES)
async def create_voice(
    request: _Request,
    catalogue: Given[Catalogue],
    custom_voices: Given[CustomVoices],
    voice_consents: Given[VoiceConsents],
    limiter: Given[Limiter],
) -> Response[CustomVoiceObject]:
    """Makes a voice of a blend, or of a voice pack."""
    asked = await _read_voice(request, catalogue)
    pack = await asyncio.to_thread(read_sample, asked.sample) if asked.sample is not None else b""
    owner = owner_of(request)
    permit = await limiter.admit(key_of(request), stays_open=False)
    with reachable():
        consent = await voice_consents.get(owner, asked.consent, param="consent") if asked.consent else None
        voice = _new_voice(asked, consent, catalogue)
        await custom_voices.create(owner, voice, pack)
    note(request.scope, voice=voice.id)
    log.info("voice_created", voice=voice.id, type=voice.type)
    return Response(_show_voice(voice), headers=rate_headers(permit.rate_limit_status))


@delete(f"{_VOICES}/{{voice_id:str}}", guards=[require_key], status_code=200)
async def delete_voice(request: _Request, voice_id: FromPath[str], custom_voices: Given[CustomVoices]) -> DeletedVoice:
    """Deletes a voice and its cached audio. Files of jobs stay."""
    with reachable():
        await custom_voices.delete(owner_of(request), voice_id)
    log.info("voice_deleted", voice=voice_id)
    return DeletedVoice(id=voice_id)


@post(_CONSENTS, guards=[require_key], status_code=200, request_max_body_size=VOICE_BODY_BYTES)
async def create_voice_consent(
    request: _Request, voice_consents: Given[VoiceConsents], limiter: Given[Limiter]
) -> Response[VoiceConsentObject]:
    """Records a consent. Its recording is looked at and not stored."""
    asked = read_consent_request(await read_form(request))
    permit = await limiter.admit(key_of(request), stays_open=False)
    consent = VoiceConsent(id=new_consent_id(), name=asked.name, language=asked.language, created_us=now_us())
    with reachable():
        await voice_consents.create(owner_of(request), consent)
    return Response(_show_consent(consent), headers=rate_headers(permit.rate_limit_status))


@get(_CONSENTS, guards=[require_key])
async def list_voice_consents(request: _Request, voice_consents: Given[VoiceConsents]) -> VoiceConsentList:
    """At most `limit` consents, starting after the consent `after`."""
    limit = read_limit(request.query_params.get("limit"))
    with reachable():
        found, has_more = await voice_consents.list(owner_of(request), limit=limit, after=request.query_params.get("after"))
    shown = [_show_consent(consent) for consent in found]
    ends = (shown[0].id, shown[-1].id) if shown else (None, None)
    return VoiceConsentList(data=shown, first_id=ends[0], last_id=ends[1], has_more=has_more)


@get(_CONSENT, guards=[require_key])
async def get_voice_consent(
    request: _Request, consent_id: FromPath[str], voice_consents: Given[VoiceConsents]
) -> VoiceConsentObject:
    """A consent."""
    with reachable():
        return _show_consent(await voice_consents.get(owner_of(request), consent_id))


@post(_CONSENT, guards=[require_key], status_code=200)
async def rename_voice_consent(
    request: _Request, consent_id: FromPath[str], voice_consents: Given[VoiceConsents]
) -> VoiceConsentObject:
    """Gives a consent another name."""
    name = read_name(await read_fields(request))
    with reachable():
        return _show_consent(await voice_consents.rename(owner_of(request), consent_id, name))


@delete(_CONSENT, guards=[require_key], status_code=200)
async def delete_voice_consent(
    request: _Request, consent_id: FromPath[str], voice_consents: Given[VoiceConsents]
) -> DeletedVoiceConsent:
    """Deletes a consent. Voices that were made with it stay."""
    with reachable():
        await voice_consents.delete(owner_of(request), consent_id)
    return DeletedVoiceConsent(id=consent_id)


async def _read_voice(request: _Request, catalogue: Catalogue) -> VoiceRequest:
    """The request, as a form or, for a blend, as JSON."""
    if media_type_of(request) == JSON:
        return read_voice_request(await read_fields(request), {}, catalogue)
    form = await read_form(request)
    return read_voice_request(texts_in(form), form, catalogue)


def _new_voice(asked: VoiceRequest, consent: VoiceConsent | None, catalogue: Catalogue) -> CustomVoice:
    spoken = find_language(consent.language) if consent is not None else None
    return CustomVoice(
        id=new_voice_id(),
        name=asked.name,
        type=asked.type,
        created_us=now_us(),
        language=asked.language or (spoken.tag if spoken else DEFAULT_LANGUAGE),
        prompt=asked.prompt,
        blend=catalogue.resolve(asked.prompt) if asked.prompt is not None else "",
    )


def _show_voice(voice: CustomVoice) -> CustomVoiceObject:
    return CustomVoiceObject(
        id=voice.id,
        created_at=voice.created_us // _MICROSECONDS,
        name=voice.name,
        type=voice.type,
        prompt=msgspec.UNSET if voice.prompt is None else voice.prompt,
    )


def _show_consent(consent: VoiceConsent) -> VoiceConsentObject:
    created_at = consent.created_us // _MICROSECONDS
    return VoiceConsentObject(id=consent.id, created_at=created_at, name=consent.name, language=consent.language)
