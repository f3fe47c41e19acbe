"""G2P: turns text into the phonemes that Kokoro was trained on, in its nine languages.

Why some imports are inside functions: spaCy, jieba and pyopenjtalk take seconds and much memory to load, and the packages for
Mandarin and Japanese are extras that may not be installed.
"""

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import Final

import msgspec
import structlog

from app.core.errors import NotSupported
from app.core.host import remedies
from workers.text.cancellation import check_cancelled, skipping_checks
from workers.text.g2p.alignment import AlignedSpan, assign, phonemize_in_parts
from workers.text.g2p.english import tagger
from workers.text.g2p.lock import LOCK
from workers.text.g2p.other_scripts import find_foreign
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import PhonemizedText

G2P = Callable[[str], list[AlignedSpan]]
"""Returns the phonemes of a text that is not blank, in its order. Called with `workers.text.g2p.lock.LOCK` held."""


Make = Callable[[str, str | None], G2P]
"""Makes the G2P of a language (BCP 47 tag). The second argument is spaCy's English model, for a G2P that says English words."""


class _Source(msgspec.Struct, frozen=True):
    """The source of a language's G2P."""

    load: Callable[[], Make]
    needs: tuple[str, ...] = ()
    """Packages that only this language needs."""
    extra: str = ""


def _english() -> Make:
    from workers.text.g2p.english import english

    return english.make


def _espeak() -> Make:
    from workers.text.g2p import espeak_g2p

    return lambda language, _: espeak_g2p.make(language)


def _japanese() -> Make:
    from workers.text.g2p.japanese import japanese

    return japanese.make


def _mandarin() -> Make:
    from workers.text.g2p.mandarin import mandarin

    return lambda language, _: mandarin.make(language)


_ENGLISH: Final = _Source(_english)
_ESPEAK: Final = _Source(_espeak)
_SOURCES: Final[dict[str, _Source]] = {
    "en-US": _ENGLISH,
    "en-GB": _ENGLISH,
    "es": _ESPEAK,
    "fr-FR": _ESPEAK,
    "hi": _ESPEAK,
    "it": _ESPEAK,
    "pt-BR": _ESPEAK,
    "ja": _Source(_japanese, ("pyopenjtalk",), "ja"),
    "zh": _Source(_mandarin, ("jieba", "pypinyin", "cn2an", "opencc", "ordered_set"), "zh"),
}

_log = structlog.get_logger()


class Phonemizer:
    """The G2P of every language, each made once, when it is first asked for. Several threads may use it."""

    def __init__(self, english_model: str | None = None) -> None:
        """`english_model` is the result of `english.tagger.find`; by default, the installed package is used."""
        self._english_model = english_model or tagger.find()
        self._made: dict[str, G2P] = {}
        self._espeak_g2ps: dict[str, G2P] = {}
        """G2Ps of espeak-ng, for languages that are not one of the nine or whose packages are missing."""

    def speaks(self, language: str) -> bool:
        """Returns whether `phonemize` knows the language (BCP 47 tag) and everything that it needs is installed."""
        return language in _SOURCES and not _missing(_SOURCES[language])

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        """Returns `text` in phonemes; none when there is nothing to say. Words in other scripts are said in a language of that
        script, and words that have phonemes in `markup` with these.

        Raises NotSupported (param `language`) for a language that is not one of the nine or whose packages are not installed.
        """
        check_cancelled()
        with LOCK, skipping_checks():
            g2p = self._made.get(language) or self._make(language)
            return PhonemizedText(*assign(text, phonemize_in_parts(text, self._special(text, language, markup), g2p)))

    def close(self) -> None:
        """Frees what takes much memory, the English G2P, unless another object holds it. It is made again when it is needed."""
        with LOCK:
            if any(_SOURCES[language] is _ENGLISH for language in self._made):
                from workers.text.g2p.english import english

                english.forget()
            self._made.clear()

    def _special(self, text: str, language: str, markup: Markup) -> Iterator[tuple[int, int, G2P]]:
        """Yields the parts of `text` that the G2P of its language does not say, each with its own G2P."""
        for place, part, given in markup.parts(text):
            if given is not None:
                yield place, place + len(part), partial(_as_given, given.phonemes)
                continue
            for start, end, tag in find_foreign(part, language):
                yield place + start, place + end, self._foreign(tag)

    def _foreign(self, language: str) -> G2P:
        """Returns the G2P of a language of another script: ours if we have one, else espeak-ng's."""
        if self.speaks(language):
            return self._made.get(language) or self._make(language)
        if language not in self._espeak_g2ps:
            self._espeak_g2ps[language] = _ESPEAK.load()(language, None)
        return self._espeak_g2ps[language]

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
                f"Run {remedies.install(source.extra)} where its workers are.",
                param="language",
            )
        g2p = source.load()(language, self._english_model)
        _log.info("phonemizer_loaded", language=language)
        self._made[language] = g2p
        return g2p


def _as_given(phonemes: str, text: str) -> list[AlignedSpan]:
    return [AlignedSpan(0, len(text), phonemes)]


def _missing(source: _Source) -> list[str]:
    return [name for name in source.needs if find_spec(name) is None]
