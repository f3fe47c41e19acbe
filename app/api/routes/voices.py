"""The voices: `GET /v1/audio/voices`, and `GET /v1/audio/models` for clients that look for the models there.

Why without a key: Open WebUI sends none here. A client that does send its key also sees the voices that were made with it.

Why OpenAI's names are entries of their own, before Kokoro's: a client that fills a menu from the list must find the name
that its user chose earlier.
"""

from typing import Any

import msgspec
from litestar import Request, get

from app.api.dependencies import Given
from app.api.middleware.auth import visitor_of
from app.api.requests.engines import models_of
from app.core.custom_voices.custom_voice import CustomVoice
from app.core.custom_voices.custom_voices import CustomVoices
from app.core.queue.fleet import FleetView
from app.core.speech.languages import find_language
from app.core.speech.voices import Catalogue, Voice, show_blend
from app.core.storage.connections import reachable

_Request = Request[Any, Any, Any]

_ENGINES_OF_PACKS = ("kokoro", "tone")


class VoiceObject(msgspec.Struct, frozen=True, kw_only=True):
    """A name that a request may have in `voice`. The language and gender of a blend are those of its first voice."""

    id: str
    name: str
    """The name that people see."""
    language: str
    gender: str
    """`female` or `male`; empty for a voice that its user has made."""
    grade: str
    """`A` to `F`; empty where the makers of the voice gave none."""
    engine: str | None
    """The engine that would speak it now; None without a worker."""
    aliases: list[str]
    """The other names of exactly this voice."""


class VoiceList(msgspec.Struct, frozen=True, kw_only=True):
    """Every voice: OpenAI's names, then Kokoro's ids, then the voices that the client has made."""

    voices: list[VoiceObject]


class ModelChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A model in a menu."""

    id: str
    name: str


class ModelChoices(msgspec.Struct, frozen=True, kw_only=True):
    """The models of a menu."""

    models: list[ModelChoice]


@get("/v1/audio/voices")
async def list_voices(
    request: _Request, expected: Given[FleetView], catalogue: Given[Catalogue], custom_voices: Given[CustomVoices]
) -> VoiceList:
    """The voices. A request may have any of the ids as `voice`, and may blend Kokoro's."""
    return await _list(request, expected, catalogue, custom_voices)


@get("/v1/voices")
async def list_voices_beside_models(
    request: _Request, expected: Given[FleetView], catalogue: Given[Catalogue], custom_voices: Given[CustomVoices]
) -> VoiceList:
    """The same list at another path, which some clients use."""
    return await _list(request, expected, catalogue, custom_voices)


async def _list(request: _Request, expected: FleetView, catalogue: Catalogue, custom_voices: CustomVoices) -> VoiceList:
    engine = (await expected.now()).best
    named = [_show_alias(alias, catalogue, engine) for alias in catalogue.aliases]
    known = [_show_voice(voice, catalogue, engine) for voice in catalogue.voices.values()]
    visitor = visitor_of(request)
    with reachable():
        own = await custom_voices.of(visitor.owner) if visitor is not None else ()
    return VoiceList(voices=[*named, *known, *(_show_custom(voice, engine) for voice in own)])


@get("/v1/audio/models")
async def list_model_choices(expected: Given[FleetView]) -> ModelChoices:
    """The models of `GET /v1/models`, in another form."""
    models = models_of(await expected.now())
    return ModelChoices(models=[ModelChoice(id=model.id, name=model.id) for model in models])


def _show_alias(alias: str, catalogue: Catalogue, engine: str | None) -> VoiceObject:
    blend, language = catalogue.parse(alias)
    target = show_blend(blend)
    voice = catalogue.voices[blend[0].voice_id]
    others = [name for name in catalogue.aliases_of(target) if name != alias]
    return VoiceObject(
        id=alias,
        name=alias.replace("_", " ").title(),
        language=language,
        gender=voice.gender,
        grade=voice.grade if len(blend) == 1 else "",
        engine=engine,
        aliases=[target, *others],
    )


def _show_voice(voice: Voice, catalogue: Catalogue, engine: str | None) -> VoiceObject:
    language = find_language(voice.language)
    return VoiceObject(
        id=voice.id,
        name=f"{voice.name} ({language.name if language else voice.language})",
        language=voice.language,
        gender=voice.gender,
        grade=voice.grade,
        engine=engine,
        aliases=catalogue.aliases_of(voice.id),
    )


def _show_custom(voice: CustomVoice, engine: str | None) -> VoiceObject:
    return VoiceObject(
        id=voice.id,
        name=voice.name,
        language=voice.language,
        gender="",
        grade="",
        engine=engine if voice.blend or engine in _ENGINES_OF_PACKS else None,
        aliases=[voice.blend] if voice.blend else [],
    )
