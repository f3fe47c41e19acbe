"""The WebSockets on which a text streams in while its audio streams out."""

from typing import Any

from litestar import WebSocket, websocket

from app.access.limiter import Limiter
from app.api.dependencies import Given
from app.api.live.admission import bearer, serve
from app.api.live.together import TogetherSession
from app.api.requests.reader import RequestReader
from app.delivery.delivery import Delivery

_Socket = WebSocket[Any, Any, Any]


@websocket("/v1/audio/speech/websocket")
async def speak_like_together(
    socket: _Socket, reader: Given[RequestReader], delivery: Given[Delivery], limiter: Given[Limiter]
) -> None:
    """Together's protocol. The key is a bearer token, or `api_key` in the URL."""
    query = socket.query_params.dict()
    parameters = {name: values[-1] for name, values in query.items()}
    await serve(
        socket,
        lambda live, speaker: TogetherSession(live, speaker, parameters),
        bearer(socket.headers) or parameters.get("api_key"),
        reader=reader,
        delivery=delivery,
        limiter=limiter,
    )
