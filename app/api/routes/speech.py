"""`POST /v1/audio/speech`: a text comes in, and its audio is streamed as it is made.

Why the answer begins only with the first audio: until then a failure is answered with its status. Later, a failure breaks the
connection off, so that no client takes half a text for the whole.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from litestar import Request, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from app.access.limiter import Limiter
from app.api.dependencies import Given
from app.api.facts import note, span_of
from app.api.middleware.auth import key_of, owner_of, require_key, require_key_of_azure
from app.api.requests.bodies import read_fields
from app.api.requests.reader import RequestReader
from app.api.responses.disconnect import while_connected
from app.api.responses.events import EventStream
from app.api.responses.rate_limit_headers import rate_headers
from app.api.responses.speech_events import speech_events
from app.api.responses.streaming import StreamingResponse
from app.core.queue.registry import Found
from app.core.tracing.spans import NO_SPAN
from app.delivery.delivery import Delivery
from app.delivery.listener import Listener

_Request = Request[Any, Any, Any]


@post("/v1/audio/speech", guards=[require_key], status_code=200)
async def create_speech(
    request: _Request, reader: Given[RequestReader], delivery: Given[Delivery], limiter: Given[Limiter]
) -> ASGIResponse:
    """Speaks `input` in `response_format`, and streams it as plain audio or as events."""
    return await _speak(request, await read_fields(request), reader, delivery, limiter)


@post(
    "/openai/deployments/{deployment:str}/audio/speech",
    guards=[require_key_of_azure],
    status_code=200,
)
async def create_speech_at_deployment(
    request: _Request,
    deployment: FromPath[str],
    reader: Given[RequestReader],
    delivery: Given[Delivery],
    limiter: Given[Limiter],
) -> ASGIResponse:
    """The same route at Azure's address: the deployment names the model when the body does not."""
    fields = await read_fields(request)
    fields["model"] = fields.get("model") or deployment
    return await _speak(request, fields, reader, delivery, limiter)


async def _speak(
    request: _Request, fields: dict[str, Any], reader: RequestReader, delivery: Delivery, limiter: Limiter
) -> ASGIResponse:
    owner = owner_of(request)
    knowing = await reader.knowing(owner, fields.get("voice"), fields.get("input"))
    asked = knowing.read_speech(fields)
    note(request.scope, **asked.facts, format=asked.format.name)
    utterance = await reader.to_utterance(asked, owner)
    request_id, span = request.scope["state"]["request_id"], span_of(request.scope)
    span.note(engine=utterance.engine)
    async with AsyncExitStack() as stack:
        permit = await limiter.admit(key_of(request), stays_open=True)
        stack.push_async_callback(limiter.close, permit)
        opening = asyncio.create_task(
            delivery.open(utterance, request_id=request_id, owner=owner, wants_words=asked.timestamps, trace=span.context)
        )
        listener: Listener = await while_connected(opening, request.receive)
        stack.push_async_callback(listener.close)
        if listener.found is Found.JOIN and span is not NO_SPAN:
            span.link(await delivery.trace_of_work(utterance))
        close = stack.pop_all().aclose
    request.scope["state"]["listener"] = listener  # `app.api.middleware.request_log` reports it when the answer has been sent.
    headers = {"x-koe-engine": utterance.engine, "x-koe-cache": listener.found.value, **rate_headers(permit.rate_limit_status)}
    if asked.stream_format == "sse":
        return EventStream(speech_events(listener, characters=asked.characters), headers=headers, is_finite=True, close=close)
    media_type = asked.format.media_type_at(asked.sample_rate_hz)
    return StreamingResponse(aiter(listener), media_type=media_type, headers=headers, close=close)
