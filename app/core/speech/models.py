"""The model names: which engine speaks for each, and how long its input may be."""

from typing import Final

import msgspec

from app.core.errors import UnknownModel

OPENAI_MAX_INPUT_CHARS: Final = 4096
"""Limit of OpenAI's models in code points; clients rely on the error beyond it."""

ENGINE_ORDER: Final = ("kokoro", "espeak", "tone")
"""Best first: OpenAI's model names stand for the first of these that every live worker has loaded."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One name that a request may have in `model`."""

    id: str
    created: int
    """Seconds since 1970, UTC: when the model was published."""
    owned_by: str
    engine: str | None = None
    """The only engine that speaks for this model; None for the best loaded one."""
    streams_sse: bool = True
    """False when OpenAI's own model ignores `stream_format: sse` and answers with plain audio."""

    def max_input_chars(self, own_limit: int) -> int:
        """Limit of `input` in code points; `own_limit` is the server's limit for its own models."""
        return own_limit if self.engine else OPENAI_MAX_INPUT_CHARS


MODELS: Final[dict[str, Model]] = {
    model.id: model
    for model in (
        Model(id="tts-1", created=1681940951, owned_by="openai-internal", streams_sse=False),
        Model(id="tts-1-hd", created=1699046015, owned_by="system", streams_sse=False),
        Model(id="gpt-4o-mini-tts", created=1742403959, owned_by="system"),
        Model(id="gpt-4o-mini-tts-2025-03-20", created=1742403959, owned_by="system"),
        Model(id="gpt-4o-mini-tts-2025-12-15", created=1765610837, owned_by="system"),
        Model(id="tts-1-1106", created=1699053241, owned_by="system", streams_sse=False),
        Model(id="tts-1-hd-1106", created=1699053533, owned_by="system", streams_sse=False),
        Model(id="kokoro", created=1735344000, owned_by="koe", engine="kokoro"),
        Model(id="espeak", created=1735344000, owned_by="koe", engine="espeak"),
    )
}


OTHER_NAMES: Final[dict[str, str]] = {
    **{f"openai/{model.id}": model.id for model in MODELS.values() if model.engine is None},
    "tts": "tts-1",
    "tts-hd": "tts-1-hd",
    "hexgrad/Kokoro-82M": "kokoro",
    "Kokoro-82M": "kokoro",
    "Kokoro-82M-v1.0": "kokoro",
    "kokoro-v1": "kokoro",
    "kokoro-v1.0": "kokoro",
    "speaches-ai/Kokoro-82M-v1.0-ONNX": "kokoro",
    "speaches-ai/Kokoro-82M-v1.0-ONNX-fp16": "kokoro",
    "speaches-ai/Kokoro-82M-v1.0-ONNX-int8": "kokoro",
    "onnx-community/Kokoro-82M-v1.0-ONNX": "kokoro",
    "mlx-community/Kokoro-82M-bf16": "kokoro",
    "mlx-community/Kokoro-82M-8bit": "kokoro",
    "mlx-community/Kokoro-82M-4bit": "kokoro",
    "prince-canuma/Kokoro-82M": "kokoro",
}
"""Names that clients know from routers and other servers, and the model that each stands for."""

_BY_NAME: Final = {
    name.lower(): MODELS[model_id] for name, model_id in (*zip(MODELS, MODELS, strict=True), *OTHER_NAMES.items())
}


def find_model(name: str) -> Model:
    """The model of a name. Case and surrounding spaces are ignored. Raises UnknownModel."""
    try:
        return _BY_NAME[name.strip().lower()]
    except KeyError:
        raise UnknownModel(name, tuple(MODELS)) from None


def names_of(*engines: str) -> list[str]:
    """Every model name that stands for one of these engines."""
    return [name for name in (*MODELS, *OTHER_NAMES) if find_model(name).engine in engines]


def best_engine(loaded: frozenset[str]) -> str | None:
    """The best engine in `loaded`; None when it is empty."""
    return next((name for name in ENGINE_ORDER if name in loaded), None)
