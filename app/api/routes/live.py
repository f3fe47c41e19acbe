"""The WebSockets on which a text streams in while its audio streams out."""

from typing import Any, Final

from litestar import Request, WebSocket, post, websocket

from app.access.client_secrets import ClientSecrets
from app.access.limiter import Limiter
from app.api.dependencies import Given
from app.api.live.admission import bearer, serve
from app.api.live.cartesia import CartesiaSession
from app.api.live.realtime import beta
from app.api.live.realtime.client_secret import preset_session, read_client_secret, voice_in
from app.api.live.realtime.session import RealtimeSession
from app.api.live.together import TogetherSession
from app.api.middleware.auth import key_of, require_key
from app.api.requests.bodies import read_fields
from app.api.requests.reader import RequestReader
from app.delivery.delivery import Delivery

_KEY_PROTOCOL: Final = "openai-insecure-api-key."
"""A browser can send no header with a request for a WebSocket, so the key follows this."""

_Socket = WebSocket[Any, Any, Any]


@websocket("/v1/audio/speech/websocket")
async def speak_like_together(
    socket: _Socket, reader: Given[RequestReader], delivery: Given[Delivery], limiter: Given[Limiter]
) -> None:
    """Together's protocol. The key is a bearer token, or `api_key` in the URL."""
    parameters = _parameters(socket)
    await serve(
        socket,
        lambda live, speaker, _: TogetherSession(live, speaker, parameters),
        bearer(socket.headers) or parameters.get("api_key"),
        protocol="together",
        reader=reader,
        delivery=delivery,
        limiter=limiter,
    )


@websocket("/tts/websocket")
async def speak_like_cartesia(
    socket: _Socket, reader: Given[RequestReader], delivery: Given[Delivery], limiter: Given[Limiter]
) -> None:
    """Cartesia's protocol. The key is in the header `X-API-Key`, a bearer token, or `api_key` or `access_token` in the URL."""
    parameters = _parameters(socket)
    await serve(
        socket,
        lambda live, speaker, _: CartesiaSession(live, speaker),
        socket.headers.get("x-api-key")
        or bearer(socket.headers)
        or parameters.get("api_key")
        or parameters.get("access_token"),
        protocol="cartesia",
        reader=reader,
        delivery=delivery,
        limiter=limiter,
    )


@post("/v1/realtime/client_secrets", guards=[require_key], status_code=200)
async def create_client_secret(
    request: Request[Any, Any, Any],
    reader: Given[RequestReader],
    client_secrets: Given[ClientSecrets],
) -> dict[str, Any]:
    """Makes a key for a page or an app, which opens Realtime sessions with these settings for a while."""
    asked = read_client_secret(await read_fields(request))
    session = preset_session(asked.session, await reader.knowing(key_of(request).owner, voice_in(asked.session)))
    value, expires_at = await client_secrets.create(key_of(request), asked.session, asked.seconds)
    return {"value": value, "expires_at": expires_at, "session": session}


@websocket("/v1/realtime")
async def speak_like_openai(
    socket: _Socket,
    reader: Given[RequestReader],
    delivery: Given[Delivery],
    limiter: Given[Limiter],
    client_secrets: Given[ClientSecrets],
) -> None:
    """OpenAI's Realtime API. The key, or a client secret, is a bearer token or, from a browser, the name of a subprotocol."""
    model = _parameters(socket).get("model")
    protocols = [name.strip() for name in socket.headers.get("sec-websocket-protocol", "").split(",")]
    is_beta = beta.HEADER in socket.headers.get("openai-beta", "") or beta.SUBPROTOCOL in protocols
    keys = (name.removeprefix(_KEY_PROTOCOL) for name in protocols if name.startswith(_KEY_PROTOCOL))
    await serve(
        socket,
        lambda live, speaker, preset: beta.BetaSession(live) if is_beta else RealtimeSession(live, speaker, model, preset),
        bearer(socket.headers) or next(keys, None),
        protocol="realtime",
        reader=reader,
        delivery=delivery,
        limiter=limiter,
        subprotocol="realtime" if "realtime" in protocols else None,
        client_secrets=client_secrets,
    )


def _parameters(socket: _Socket) -> dict[str, str]:
    """The parameters of the URL; of a repeated one the last."""
    return {name: values[-1] for name, values in socket.query_params.dict().items()}
