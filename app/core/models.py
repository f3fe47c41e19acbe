"""What each model name means here: which engine speaks, and how long its input may be."""

from typing import Final

import msgspec

from app.core.errors import UnknownModel

OPENAI_MAX_INPUT_CHARS: Final = 4096
"""Code points that OpenAI's models take; clients count on the error beyond it."""

ENGINE_ORDER: Final = ("kokoro", "espeak", "tone")
"""Best first: the model names of OpenAI go to the first of these that every live worker has loaded."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One name that a request may carry in `model`."""

    id: str
    created: int
    """Seconds since 1970, UTC: when the name came into the world."""
    owned_by: str
    engine: str | None = None
    """The engine that speaks it and no other; None for the best one loaded."""
    streams_sse: bool = True
    """False where OpenAI's own model quietly answers `stream_format: sse` with plain audio."""

    def max_input_chars(self, own_limit: int) -> int:
        """Code points of `input` that are accepted; `own_limit` is the server's for its own models."""
        return own_limit if self.engine else OPENAI_MAX_INPUT_CHARS


MODELS: Final[dict[str, Model]] = {
    model.id: model
    for model in (
        Model(id="tts-1", created=1681940951, owned_by="openai-internal", streams_sse=False),
        Model(id="tts-1-hd", created=1699046015, owned_by="system", streams_sse=False),
        Model(id="gpt-4o-mini-tts", created=1742403959, owned_by="system"),
        Model(id="gpt-4o-mini-tts-2025-12-15", created=1765610837, owned_by="system"),
        Model(id="tts-1-1106", created=1699053241, owned_by="system", streams_sse=False),
        Model(id="tts-1-hd-1106", created=1699053533, owned_by="system", streams_sse=False),
        Model(id="kokoro", created=1735344000, owned_by="koe", engine="kokoro"),
        Model(id="espeak", created=1735344000, owned_by="koe", engine="espeak"),
    )
}


def find_model(name: str) -> Model:
    """The model of that name. Raises UnknownModel."""
    try:
        return MODELS[name]
    except KeyError:
        raise UnknownModel(name) from None


def best_engine(loaded: frozenset[str]) -> str | None:
    """The best of the engines in `loaded`, None when there is none."""
    return next((name for name in ENGINE_ORDER if name in loaded), None)
