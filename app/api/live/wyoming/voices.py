"""What this server tells a Wyoming client about its voices, and the voice that a client means.

Why the description needs no worker: Home Assistant waits one second for it, and the voices do not depend on who speaks.
"""

from typing import Final

import msgspec
from wyoming.info import Attribution, Info, TtsProgram, TtsVoice

from app import __version__
from app.core.errors import InvalidValue
from app.core.speech.languages import LANGUAGES, find_language
from app.core.speech.voices import DEFAULT_VOICE, Catalogue, Voice

_NAME: Final = "koe"
_KOKORO: Final = Attribution("hexgrad", "https://huggingface.co/hexgrad/Kokoro-82M")
_MAX_SHOWN_CHARS: Final = 100


class AskedVoice(msgspec.Struct, frozen=True):
    """The voice in an event. A speaker of a voice is ignored: no voice has several."""

    name: str | None = None
    language: str | None = None


def describe(catalogue: Catalogue) -> Info:
    """The answer to `describe`: one program, with each voice and each blend that has a name."""
    blends = [alias for alias in catalogue.aliases if len(catalogue.parse(alias)[0]) > 1]
    program = TtsProgram(
        name=_NAME,
        attribution=_KOKORO,
        installed=True,
        description="Koe: Kokoro-82M and espeak-ng",
        version=__version__,
        voices=[*map(_show, catalogue.voices.values()), *(_show_blend(alias, catalogue) for alias in blends)],
        supports_synthesize_streaming=True,
    )
    return Info(tts=[program])


def _show(voice: Voice) -> TtsVoice:
    language = find_language(voice.language)
    return _voice(voice.id, f"{voice.name} ({language.name if language else voice.language})", voice.language)


def _show_blend(alias: str, catalogue: Catalogue) -> TtsVoice:
    return _voice(alias, alias.replace("_", " ").title(), catalogue.parse(alias)[1])


def _voice(name: str, description: str, language: str) -> TtsVoice:
    return TtsVoice(
        name=name, attribution=_KOKORO, installed=True, description=description, version=__version__, languages=[language]
    )


def choose_voice(asked: AskedVoice, catalogue: Catalogue) -> str:
    """The voice for a request: the one that is named, else the best one of the language, else DEFAULT_VOICE. A name is not
    checked.

    Raises InvalidValue for a language without a voice.
    """
    if asked.name:
        return asked.name
    if not asked.language:
        return DEFAULT_VOICE
    language = find_language(asked.language)
    voice = catalogue.best_of(language.tag) if language else None
    if voice is None:
        *tags, last = (language.tag for language in LANGUAGES)
        raise InvalidValue(
            f"No voice speaks '{asked.language[:_MAX_SHOWN_CHARS]}'. There are voices for {', '.join(tags)}, and {last}.",
            param="voice.language",
        )
    return voice.id
