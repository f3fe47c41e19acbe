"""G2P of Spanish, French, Hindi, Italian and Brazilian Portuguese: espeak-ng's, in Misaki's alphabet."""

import logging
from collections.abc import Callable
from typing import Final

from misaki.espeak import EspeakG2P

_NAMES: Final = {"es": "es", "fr-FR": "fr-fr", "hi": "hi", "it": "it", "pt-BR": "pt-br"}
"""BCP 47 tag → the name that phonemizer knows the language by."""


def make(language: str) -> Callable[[str], str]:
    """The G2P of `language`, a key of the table above."""
    logging.getLogger("phonemizer").disabled = True
    g2p = EspeakG2P(language=_NAMES[language])
    return lambda text: str(g2p(text)[0])
