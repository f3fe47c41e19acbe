"""A request for the phonemes of a text, and the text that it sends to the workers."""

from collections.abc import Sequence
from typing import Any, Final

from app.api.requests.text import (
    TextRequest,
    language_name,
    read_cast,
    read_input,
    read_language,
    read_model,
    read_normalize,
    read_pronunciations,
    read_voice,
)
from app.core.speech.lexicon import Lexicon, pronounced
from app.core.speech.models import find_model
from app.core.speech.spoken_text import Code, Emoji, SpokenText, Think
from app.core.speech.voices import Blend, Catalogue

_ANY_MODEL: Final = "tts-1"
"""Stands for the best engine loaded."""


class PhonemizeRequest(TextRequest, frozen=True, kw_only=True):
    """A request for phonemes."""


def read_phonemize(fields: dict[str, Any], *, catalogue: Catalogue, max_input_chars: int) -> PhonemizeRequest:
    """The request in `fields`; without a model, it gets the best engine.

    Raises the InvalidRequest of the first invalid field: model, input, voice, language, normalize, pronunciations.
    """
    model = find_model(_ANY_MODEL) if fields.get("model") is None else read_model(fields)
    text = read_input(fields, max_input_chars)
    named = _read_voice_or_language(fields, catalogue)
    language = read_language(fields, model)
    normalize = read_normalize(fields)
    voice, voice_language = named or _any_voice(language, catalogue)
    name = read_voice(fields) if named else None
    cast = read_cast(text, catalogue, name, voice, own_language=voice_language, language=language, normalize=normalize)
    return PhonemizeRequest(
        model=model,
        input=text,
        voice=voice,
        language=language or voice_language,
        normalize=normalize,
        cast=cast,
        pronunciations=read_pronunciations(fields),
    )


def to_spoken_text(
    asked: PhonemizeRequest,
    *,
    engine: str,
    lexicons: Sequence[Lexicon] = (),
    emoji: Emoji = "drop",
    code: Code = "skip",
    think: Think = "skip",
    owner: str = "",
) -> SpokenText:
    """The text for the workers. `owner`: the only key that may share the answer; empty for all."""
    return SpokenText(
        text=asked.input,
        engine=engine,
        voice=asked.voice,
        language=asked.language,
        normalize=asked.normalize,
        emoji=emoji,
        code=code,
        think=think,
        voices=asked.cast.voices,
        speakers=asked.cast.speakers,
        narrator=asked.cast.narrator,
        pronunciations=pronounced(asked.pronunciations, lexicons, asked.input, asked.language),
        owner=owner,
    )


def _read_voice_or_language(fields: dict[str, Any], catalogue: Catalogue) -> tuple[Blend, str] | None:
    """The voice and its language; None where the request names a language and no voice."""
    names_language = language_name(fields)[1] is not None
    return None if fields.get("voice") is None and names_language else catalogue.parse(read_voice(fields))


def _any_voice(language: str | None, catalogue: Catalogue) -> tuple[Blend, str]:
    """The first voice of the language; the first of all voices where the language has none."""
    ids = [voice.id for voice in catalogue.voices.values() if voice.language == language] or list(catalogue.voices)
    return catalogue.parse(ids[0])
