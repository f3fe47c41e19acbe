"""G2P of Spanish, French, Hindi, Italian and Brazilian Portuguese, and of what other scripts stand for: espeak-ng's, in
Misaki's alphabet.
"""

import logging
from collections.abc import Callable
from typing import Final

from misaki.espeak import EspeakG2P

from workers.text.aligning import Stretch
from workers.text.script import Script
from workers.text.taming import tame

_NAMES: Final = {"fr-FR": "fr-fr", "pt-BR": "pt-br", "zh": "cmn"}
"""BCP 47 tag → the name that phonemizer knows the language by, where it is another."""


def make(language: str) -> Callable[[str], list[Stretch]]:
    """The G2P of a language that espeak-ng has. Raises RuntimeError for any other."""
    logging.getLogger("phonemizer").disabled = True
    g2p = EspeakG2P(language=_NAMES.get(language, language))
    return lambda text: [Stretch(0, len(text), str(g2p(tame(Script.of(text)).text)[0]))]
