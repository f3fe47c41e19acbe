"""The fields that every request about a text has: model, input, voice, language, normalize, pronunciations."""

import re
from typing import Any, Final

import msgspec

from app.api.requests.fields import (
    MAX_SHOWN_CHARS,
    kind_of,
    limited,
    optional_boolean,
    optional_string,
    required_string,
    shorten,
    unsupported,
)
from app.core.errors import EmptyString, InvalidValue, MissingModel, MissingParameter, UnknownModel, WrongType
from app.core.speech.languages import LANGUAGES, find_language
from app.core.speech.lexicon import WORD
from app.core.speech.models import MODELS, Model, find_model
from app.core.speech.phonemes import unknown_phonemes
from app.core.speech.speakers import find_speakers, show_speaker
from app.core.speech.tags import NamedVoices, find_voices
from app.core.speech.voices import Blend, Catalogue, show_blend

MAX_PRONUNCIATIONS: Final = 200
MAX_PRONUNCIATION_CHARS: Final = 100
"""Code points of the word, and of its phonemes."""

OWN_LANGUAGE: Final = ("", "auto")
"""Clients of other servers send these for the voice's own language, in upper or lower case."""

_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")
"""A language of the model `espeak`, which has more than Kokoro. The worker decides whether espeak-ng speaks it."""


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """The voices of a text with several; empty for any other text. The fields are those of a SpokenText."""

    voices: NamedVoices = ()
    speakers: NamedVoices = ()
    narrator: str = ""


class TextRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request about a text: names are resolved and defaults filled in; the engine is chosen later."""

    model: Model
    input: str
    voice: Blend
    """The requested voice; in a PhonemizeRequest without one, a voice of the language."""
    language: str
    """BCP 47 tag: the requested one, else the language of the first voice."""
    normalize: bool
    cast: Cast
    pronunciations: tuple[tuple[str, str], ...]
    """Pairs of word and phonemes, sorted."""

    @property
    def facts(self) -> dict[str, Any]:
        """The facts for the log: never the text."""
        return {"model": self.model.id, "voice": show_blend(self.voice), "n_chars": len(self.input)}


def read_model(fields: dict[str, Any]) -> Model:
    """The model. Raises MissingModel, WrongType or UnknownModel."""
    name = fields.get("model")
    if name is None or name == "":
        raise MissingModel
    if not isinstance(name, str):
        raise WrongType("model", "a string", kind_of(name))
    if len(name) > MAX_SHOWN_CHARS:
        raise UnknownModel(shorten(name), tuple(MODELS))
    return find_model(name)


def read_input(fields: dict[str, Any], max_chars: int) -> str:
    """The text, not empty. Raises MissingParameter, WrongType, EmptyString or StringTooLong."""
    text = required_string(fields, "input")
    if not text:
        raise EmptyString("input")
    return limited("input", text, max_chars)


def read_voice(fields: dict[str, Any]) -> str:
    """The voice as the user wrote it. Errors inside the object form name `voice.id`. Raises MissingParameter or WrongType."""
    voice = fields.get("voice")
    if not isinstance(voice, dict):
        return required_string(fields, "voice")
    voice_id = voice.get("id")
    if voice_id is None:
        raise MissingParameter("voice.id")
    if not isinstance(voice_id, str):
        raise WrongType("voice.id", "a string", kind_of(voice_id))
    return voice_id


def read_cast(
    text: str,
    catalogue: Catalogue,
    voice: str | None,
    blend: Blend,
    *,
    own_language: str,
    language: str | None,
    normalize: bool,
) -> Cast:
    """The voices that a text names, with `voice`, the request's, and its `blend`. SSML counts only in a normalized text.

    `language`: the request's, which every voice then speaks; without it, the request's voice has `own_language`. Raises
    InvalidValue for too many voices.
    """
    voices = find_voices(text, catalogue, language=language) if normalize else ()
    speakers = find_speakers(text, catalogue, language=language)
    if not voices and not speakers:
        return Cast()
    narrator = show_speaker((voice or "").strip(), blend)
    others = tuple(speaker for speaker in speakers if speaker[0] != narrator)
    everybody = tuple(sorted([*others, (narrator, blend, language or own_language)])) if speakers else ()
    return Cast(voices=voices, speakers=everybody, narrator=narrator)


def read_language(fields: dict[str, Any], model: Model) -> str | None:
    """The BCP 47 tag; None for the voice's own language. Raises WrongType or InvalidValue."""
    param, name = language_name(fields)
    if name is None:
        return None
    language = find_language(name)
    if model.engine == "espeak" and _TAG.fullmatch(name):
        return language.tag if language is not None and language.tag.lower() == name.lower() else name
    if language is None:
        tags = tuple(language.tag for language in LANGUAGES)
        letters = " ".join(language.letter for language in LANGUAGES)
        raise InvalidValue(
            f"{unsupported(name, tags)} Kokoro's letters work too: {letters}. The model 'espeak' speaks more languages.",
            param=param,
        )
    return language.tag


def language_name(fields: dict[str, Any]) -> tuple[str, str | None]:
    """The parameter that names the language, and the name as the user wrote it; None for the voice's own. Raises WrongType."""
    param = "lang_code" if fields.get("language") is None else "language"
    name = optional_string(fields, param)
    return param, None if name is None or name.strip().lower() in OWN_LANGUAGE else name


def read_normalize(fields: dict[str, Any]) -> bool:
    """Whether the text is normalized: yes, unless the request says no. Raises WrongType."""
    return optional_boolean(fields, "normalize") is not False


def read_pronunciations(fields: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Pairs of word and phonemes, sorted. Raises WrongType, EmptyString, StringTooLong or InvalidValue."""
    wanted = fields.get("pronunciations")
    if wanted is None:
        return ()
    if not isinstance(wanted, dict):
        raise WrongType("pronunciations", "an object", kind_of(wanted))
    if len(wanted) > MAX_PRONUNCIATIONS:
        raise InvalidValue(
            f"Invalid 'pronunciations': too many entries. Expected at most {MAX_PRONUNCIATIONS}, "
            f"but got {len(wanted)} instead.",
            param="pronunciations",
        )
    return tuple(sorted((read_word(word, "pronunciations"), _read_given(phonemes)) for word, phonemes in wanted.items()))


def read_word(word: str, param: str) -> str:
    """A word that has phonemes. Raises EmptyString, StringTooLong or InvalidValue."""
    if not WORD.fullmatch(_entry_text(word, param)):
        raise InvalidValue(f"Invalid '{param}': {shorten(word)!r} is not one word.", param=param)
    return word


def read_phonemes(phonemes: str, param: str) -> str:
    """The phonemes of a word. Raises EmptyString, StringTooLong or InvalidValue."""
    if unknown := unknown_phonemes(_entry_text(phonemes, param)):
        raise InvalidValue(
            f"Invalid '{param}': {unknown[0]!r} is none of Misaki's phonemes. `POST /v1/audio/phonemize` shows words in them.",
            param=param,
        )
    return phonemes


def _read_given(phonemes: Any) -> str:
    if not isinstance(phonemes, str):
        raise WrongType("pronunciations", "an object that maps words to strings of phonemes", f"{kind_of(phonemes)} in it")
    return read_phonemes(phonemes, "pronunciations")


def _entry_text(text: str, param: str) -> str:
    if not text:
        raise EmptyString(param)
    return limited(param, text, MAX_PRONUNCIATION_CHARS)
