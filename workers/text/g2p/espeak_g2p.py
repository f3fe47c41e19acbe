"""G2P of Spanish, French, Hindi, Italian and Brazilian Portuguese, and of the languages of other scripts: espeak-ng's, in
Misaki's alphabet.
"""

import logging
import re
from collections.abc import Callable
from typing import Final

from workers.text.espeak.sanitize import sanitize
from workers.text.g2p.alignment import AlignedSpan
from workers.text.g2p.misaki_espeak import EspeakG2P
from workers.text.g2p.respellings import respell
from workers.text.tracked_text import TrackedText

_NAMES: Final = {"fr-FR": "fr-fr", "pt-BR": "pt-br", "zh": "cmn"}
"""BCP 47 tag → phonemizer's name for the language, where it is a different one."""

_INDIC: Final = frozenset({"hi", "mr", "ur", "bn", "pa", "gu", "ne"})
_FLAP: Final = re.compile(r"r\.(h?)")
"""espeak-ng's notation for the retroflex flap of these languages; its full stop would be spoken as the end of a sentence.
Kokoro's vocabulary has ɽ, which nothing else in its nine languages needs.
"""
_STOPS: Final = {"।": ".", "॥": ".", "۔": ".", "؟": "?", "،": ",", "؛": ";"}
"""Marks that Misaki's G2P would take for letters and drop, together with the pause that they stand for."""
_STOP: Final = re.compile(rf"[{''.join(_STOPS)}](?=(\S?))")


def make(language: str) -> Callable[[str], list[AlignedSpan]]:
    """Returns the G2P of a language that espeak-ng has. Raises RuntimeError for any other."""
    logging.getLogger("phonemizer").disabled = True
    g2p = EspeakG2P(language=_NAMES.get(language, language))

    def phonemize(text: str) -> list[AlignedSpan]:
        plain = respell(_STOP.sub(_replace_stop, text), language)
        phonemes = str(g2p(sanitize(TrackedText.of(plain)).text)[0])
        if language in _INDIC:
            phonemes = _FLAP.sub(lambda match: "ɽʰ" if match[1] else "ɽ", phonemes)
        return [AlignedSpan(0, len(text), phonemes)]

    return phonemize


def _replace_stop(match: re.Match[str]) -> str:
    return _STOPS[match[0]] + (" " if match[1].isalnum() else "")
