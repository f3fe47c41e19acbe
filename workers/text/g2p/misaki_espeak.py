"""Misaki's espeak-ng G2P without the library in this process: phonemizer gets its phonemes from `workers.text.espeak`.

Why not a backend of our own: phonemizer and Misaki still do everything else to the phonemes, and no backend of theirs, wherever
it is created, can load the library.
"""

from typing import Final

from workers.text.espeak import library
from workers.text.stand_ins import stand_in

# phonemizer imports segments for a backend of its own, and that a dozen packages: 17 MB.
with stand_in("segments", Profile=object):
    import phonemizer.backend.espeak.base
    import phonemizer.backend.espeak.espeak
    from misaki.espeak import EspeakFallback, EspeakG2P
    from phonemizer.backend.espeak.voice import EspeakVoice

__all__ = ["EspeakFallback", "EspeakG2P"]


class _Wrapper:
    """Replaces phonemizer's EspeakWrapper."""

    version: Final = (1, 52, 0)
    library_path: Final = "espeak-ng in a process of its own"

    def __init__(self) -> None:
        self._voice = ""

    def available_voices(self) -> list[EspeakVoice]:
        """Returns the first voice of each language."""
        return [EspeakVoice(name=one, language=tag, identifier=one) for tag, one in library.first_voices().items()]

    def set_voice(self, language: str) -> None:
        """Sets the voice. Raises RuntimeError for a language that espeak-ng lacks."""
        try:
            self._voice = library.first_voices()[language]
        except KeyError:
            raise RuntimeError(f'invalid voice code "{language}"') from None

    def text_to_phonemes(self, text: str, tie: str | None = None) -> str:
        """Returns the phonemes of `text` in the voice that was set. Misaki always asks for ties."""
        assert tie
        return library.tied_phonemes(text, self._voice)


phonemizer.backend.espeak.base.EspeakWrapper = phonemizer.backend.espeak.espeak.EspeakWrapper = _Wrapper
