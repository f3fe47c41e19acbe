"""`POST /v1/audio/phonemize`: what would be said of a text, without saying it."""

import asyncio
from typing import Any

from litestar import Request, Response, post

from app.access.limiter import Limiter
from app.api.dependencies import Given
from app.api.facts import note
from app.api.middleware.auth import cache_owner_of, key_of, owner_of, require_key
from app.api.openapi.contract_phonemize import PhonemizeOperation
from app.api.requests.bodies import read_fields
from app.api.requests.engines import resolve_engine
from app.api.requests.wire import PhonemizeRequest, read_phonemize
from app.api.responses.disconnect import while_connected
from app.api.responses.rate_limit_headers import rate_headers
from app.core.queue.answers import Asker
from app.core.queue.fleet import FleetView
from app.core.settings import Settings
from app.core.speech.lexicon import Lexicon, merged
from app.core.speech.question import Phonemized, Question
from app.core.speech.utterance import Emoji
from app.core.speech.voices import Catalogue


@post(
    "/v1/audio/phonemize",
    guards=[require_key],
    status_code=200,
    summary="Phonemes of a text",
    operation_class=PhonemizeOperation,
)
async def phonemize(
    request: Request[Any, Any, Any],
    catalogue: Given[Catalogue],
    fleet: Given[FleetView],
    asker: Given[Asker],
    limiter: Given[Limiter],
    lexicon: Given[Lexicon],
    settings: Given[Settings],
) -> Response[Phonemized]:
    """The text as it would be read, and the phonemes of each of its segments."""
    fields = await read_fields(request)
    asked = read_phonemize(fields, catalogue=catalogue, max_input_chars=settings.max_input_chars)
    note(request.scope, **asked.facts)
    engine = resolve_engine(asked.model, await fleet.now())
    owner = cache_owner_of(request, is_shared=settings.cache_shared)
    question = to_question(asked, engine=engine, lexicon=lexicon, emoji=settings.emoji, owner=owner)
    admission = await limiter.admit(key_of(request), stays_open=False)
    asking = asker.ask(question, request_id=request.scope["state"]["request_id"], caller=owner_of(request))
    found: Phonemized = await while_connected(asyncio.create_task(asking), request.receive)
    return Response(found, headers={"x-koe-engine": question.engine, **rate_headers(admission.standing)})


def to_question(asked: PhonemizeRequest, *, engine: str, lexicon: Lexicon, emoji: Emoji = "drop", owner: str = "") -> Question:
    """What a worker is asked. `owner`: the only one who shares its answer; empty for everybody."""
    return Question(
        text=asked.input,
        engine=engine,
        voice=asked.voice,
        language=asked.language,
        normalize=asked.normalize,
        emoji=emoji,
        pronunciations=merged(asked.pronunciations, lexicon.entries(asked.input, asked.language)),
        owner=owner,
    )
