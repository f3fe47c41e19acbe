"""G2P: text into the phonemes that Kokoro was trained on, in its nine languages.

Why the module of a language is imported when it is first asked for: spaCy, jieba and pyopenjtalk take seconds and much memory
to load, and those for Mandarin and Japanese are extras that may not be installed.
"""

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

import msgspec
import structlog

from app.core.errors import NotSupported
from workers.text.espeak import LOCK

G2P = Callable[[str], str]
"""Phonemes of a text that is not blank. Called with `workers.text.espeak.LOCK` held."""


class _Source(msgspec.Struct, frozen=True):
    """Where the G2P of a language comes from."""

    module: str
    """Has a function `make(language) -> G2P`."""
    needs: tuple[str, ...] = ()
    """Packages that only this language needs."""
    extra: str = ""


_ESPEAK: Final = _Source("workers.text.other")
_SOURCES: Final[dict[str, _Source]] = {
    "en-US": _Source("workers.text.english"),
    "en-GB": _Source("workers.text.english"),
    "es": _ESPEAK,
    "fr-FR": _ESPEAK,
    "hi": _ESPEAK,
    "it": _ESPEAK,
    "pt-BR": _ESPEAK,
    "ja": _Source("workers.text.japanese", ("pyopenjtalk",), "ja"),
    "zh": _Source("workers.text.mandarin", ("jieba", "pypinyin", "cn2an", "ordered_set"), "zh"),
}

_log = structlog.get_logger()


class Phonemizer:
    """The G2P of every language, each made once, when it is first asked for. May be used from several threads."""

    def __init__(self) -> None:
        self._made: dict[str, G2P] = {}

    def speaks(self, language: str) -> bool:
        """Whether `phonemize` knows the language (BCP 47 tag) and all that it needs is installed."""
        return language in _SOURCES and not _missing(_SOURCES[language])

    def phonemize(self, text: str, language: str) -> str:
        """The phonemes of `text` in Misaki's alphabet, its punctuation among them; empty when there is nothing to say.

        Raises NotSupported (param `language`) for a language that is not one of the nine or whose packages are not installed.
        """
        with LOCK:
            g2p = self._made.get(language) or self._make(language)
            return g2p(text).strip() if text.strip() else ""

    def _make(self, language: str) -> G2P:
        source = _SOURCES.get(language)
        if source is None:
            raise NotSupported(
                f"The language '{language}' is not one of Kokoro's: {', '.join(_SOURCES)}. The model 'espeak' has more.",
                param="language",
            )
        if missing := _missing(source):
            raise NotSupported(
                f"The language '{language}' needs packages that are not installed on this server ({', '.join(missing)}). "
                f"Install them with `pip install 'koe[{source.extra}]'`.",
                param="language",
            )
        g2p: G2P = importlib.import_module(source.module).make(language)
        _log.info("phonemizer_loaded", language=language)
        self._made[language] = g2p
        return g2p


def _missing(source: _Source) -> list[str]:
    return [name for name in source.needs if find_spec(name) is None]
