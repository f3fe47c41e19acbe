"""`POST /v1/audio/phonemize`: the phonemes of a text, without its audio."""

import asyncio
from typing import Any

from litestar import Request, Response, post

from app.access.limiter import Limiter
from app.api.dependencies import Given
from app.api.facts import note, span_of
from app.api.middleware.auth import key_of, owner_of, require_key
from app.api.requests.bodies import read_fields
from app.api.requests.reader import RequestReader
from app.api.responses.disconnect import while_connected
from app.api.responses.rate_limit_headers import rate_headers
from app.core.queue.answers import Asker
from app.core.queue.questions import phonemes_of
from app.core.speech.phonemized import Phonemized


@post("/v1/audio/phonemize", guards=[require_key], status_code=200)
async def phonemize(
    request: Request[Any, Any, Any], reader: Given[RequestReader], asker: Given[Asker], limiter: Given[Limiter]
) -> Response[Phonemized]:
    """The normalized text and the phonemes of each of its segments."""
    fields, owner = await read_fields(request), owner_of(request)
    knowing = await reader.knowing(owner, fields.get("voice"), fields.get("input"))
    asked = knowing.read_phonemize(fields)
    note(request.scope, **asked.facts)
    text = await reader.to_spoken_text(asked, owner)
    permit = await limiter.admit(key_of(request), stays_open=False)
    request_id, trace = request.scope["state"]["request_id"], span_of(request.scope).context
    asking = asyncio.create_task(asker.ask(phonemes_of(text), request_id=request_id, owner=owner, trace=trace))
    found: Phonemized = await while_connected(asking, request.receive)
    return Response(found, headers={"x-koe-engine": text.engine, **rate_headers(permit.rate_limit_status)})
