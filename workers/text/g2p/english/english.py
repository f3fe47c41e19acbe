"""G2P of American and British English: Misaki's, with espeak-ng for the words that its lexicons lack.

Why tags by rule: Misaki takes its part-of-speech tags from spaCy's `en_core_web_sm`, which it would download at run time.
Without that model, the same G2P works with a blank spaCy pipeline. The rules below then give the few tags that decide whether a
sign is punctuation, money or a number, and how little words such as *a* and *in* are said. Only homographs such as *read*
suffer.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final

import spacy
import structlog
from misaki import en

from app.core.speech.sentence_words import sentence_words
from workers.text.g2p.alignment import AlignedSpan
from workers.text.g2p.english import homographs, letters, tagger
from workers.text.g2p.english.lexicon import Lexicon
from workers.text.g2p.misaki_espeak import EspeakFallback
from workers.text.tracked_text import TrackedText

_SIGNS: Final = {
    **dict.fromkeys(".!?", "."),
    **dict.fromkeys(":;—–-…", ":"),
    **dict.fromkeys("([{", "-LRB-"),
    **dict.fromkeys(")]}", "-RRB-"),
    **dict.fromkeys("$£€", "$"),
    **{",": ",", "“": "``", "”": "''"},
}
_DETERMINERS: Final = "a an the this these that those every each some any no"
_PREPOSITIONS: Final = "in of at by for with from on into about over under after before as if than because while vs vs."
_PRONOUNS: Final = "i you he she it we they me him her us them"
_WORDS: Final = {
    **dict.fromkeys(_DETERMINERS.split(), "DT"),
    **dict.fromkeys(_PREPOSITIONS.split(), "IN"),
    **dict.fromkeys(_PRONOUNS.split(), "PRP"),
    **{"to": "TO", "am": "VBP"},
}
_NUMBER: Final = re.compile(r"[-+]?\d[\d.,]*")
_INITIALS: Final = re.compile(r"(?:[A-Za-z]\.)+")
"""Misaki counts their last full stop only as a part of them, even where it also ends a sentence."""
_NEXT_WORD: Final = re.compile(r" [\"'“(]?([A-Z][a-z]{0,9})(?!\w)")
_LONG_NUMBER: Final = re.compile(r"\d[\d,.]{18,}")
"""A number that num2words cannot name; it is said digit by digit."""
_NUMBER_WORDS: Final = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty"
)
_LAST_OF_TIMES: Final = frozenset(_NUMBER_WORDS.split())
_QUOTES: Final = frozenset({'"', "''", "``"})
_HYPHENS: Final = frozenset("-–")
_NUMERO: Final = frozenset({"No", "no", "NO"})

_log = structlog.get_logger()

_UNUSED: Final = ("parser", "ner", "lemmatizer", "attribute_ruler", "senter")
"""Parts of spaCy's model that are not loaded: their memory is 22 MB."""


class _G2P(en.G2P):  # type: ignore[misc]
    """Misaki's G2P with the spaCy pipeline that is installed; its own constructor downloads one."""

    def __init__(self, *, british: bool, model: str | None) -> None:
        self.version = None
        self.british = british
        self.lexicon = Lexicon(british=british)
        self._espeak = EspeakFallback(british=british)
        self.fallback = self._say_unknown
        self.unk = ""
        self.nlp = _load_pipeline(model)

    def tokenize(self, text: str, tokens: list[str], features: dict[int, Any]) -> list[Any]:
        """Returns Misaki's tokens, each with a tag."""
        found: list[Any] = super().tokenize(text, tokens, features)
        has_tags = "tagger" in self.nlp.pipe_names
        if has_tags:
            _tag_stops(found)
        else:
            _tag(found)
        letters.mark_letter_a(found)
        letters.say_stammers(found, self._say)
        letters.say_apostrophes(found, self._say, british=self.british)
        homographs.tell_apart(found, self.lexicon.golds, british=self.british, has_tags=has_tags)
        _spell_am(found)
        return found

    def _say_unknown(self, token: Any) -> tuple[str | None, int | None]:
        """The phonemes of a word that the lexicon lacks, and Misaki's rating of them."""
        phonemes = letters.say_prefixed(token.text, self._say, self.say_by_espeak, british=self.british)
        return (phonemes, 4) if phonemes is not None else self._espeak(token)

    def say_by_espeak(self, word: str) -> str | None:
        phonemes: str | None = self._espeak(en.MToken(text=word, tag="", whitespace=""))[0]
        return phonemes

    def _say(self, word: str) -> str | None:
        """The phonemes of a word that the lexicon has, as it is said alone; None for any other."""
        token = en.MToken(
            text=word, tag="NN", whitespace="", _=en.MToken.Underscore(is_head=True, num_flags="", prespace=False)
        )
        phonemes: str | None = self.lexicon(token, en.TokenContext())[0]
        return phonemes


@cache
def make(language: str, model: str | None) -> Callable[[str], list[AlignedSpan]]:
    """Returns the G2P of `en-US` or `en-GB`. `model` is the result of `workers.text.g2p.english.tagger.find`."""
    logging.getLogger("phonemizer").disabled = True
    g2p = _G2P(british=language == "en-GB", model=model)

    def phonemize(text: str) -> list[AlignedSpan]:
        spaced = TrackedText.of(text).sub(_LONG_NUMBER, lambda match: " ".join(match[0].replace(",", "")))
        try:
            return list(_place(spaced, g2p(spaced.text, preprocess=False)[1]))
        except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as error:
            _log.warning("misaki_failed", language=language, error=type(error).__name__)
            return [AlignedSpan(0, len(text), g2p.say_by_espeak(text) or "")]

    return phonemize


def forget() -> None:
    """Frees the G2Ps and spaCy's model, if nobody else holds them."""
    make.cache_clear()
    _load_pipeline.cache_clear()


def _place(tracked: TrackedText, tokens: Iterable[Any]) -> Iterator[AlignedSpan]:
    """Yields the phonemes of each token with its place: its characters are in the text in order, though Misaki drops some."""
    at = 0
    for token in tokens:
        first = last = None
        for character in token.text:
            place = tracked.text.find(character, at)
            if place >= 0:
                first, last, at = place if first is None else first, place + 1, place + 1
        origin = (
            tracked.origin(first, last)
            if first is not None and last is not None
            else tracked.origin(max(0, at - 1), max(1, at))
        )
        stop = "." if _INITIALS.fullmatch(token.text) and _ends_sentence(tracked.text, at) else ""
        yield AlignedSpan(*origin, (token.phonemes or "") + stop + token.whitespace)


def _ends_sentence(text: str, place: int) -> bool:
    """Whether a sentence ends with the initials before `place`: the text ends, or the next word begins a sentence."""
    following = _NEXT_WORD.match(text, place)
    return place == len(text) or (following is not None and following[1] in sentence_words("en").openers)


@cache
def _load_pipeline(model: str | None) -> Any:
    """Loads the spaCy pipeline. A model that cannot be loaded counts as missing: English is spoken without it too."""
    # spaCy otherwise imports every package that offers it parts, such as transformers: 30 MB.
    spacy.registry._entry_point_factories.entry_points = False
    problem = "missing"
    if model is not None:
        try:
            return spacy.load(model, exclude=_UNUSED)
        except Exception as error:  # noqa: BLE001 - third party: spaCy raises whatever its parsers meet in a damaged file
            problem = f"damaged: {type(error).__name__}"
    _log.warning(
        "english_without_tagger", model=tagger.NAME, problem=problem, effect="homographs such as 'read' may be misread"
    )
    return spacy.blank("en")


def _spell_am(tokens: list[Any]) -> None:
    """Spells AM as letters after a time of day; Misaki's lexicons only have the verb. "A.M." would include the sentence's full
    stop, and its pause would be lost.
    """
    for before, token in pairwise(tokens):
        if token.text == "AM" and (before.text.lower() in _LAST_OF_TIMES or _NUMBER.fullmatch(before.text)):
            token.phonemes = "ˌAˈɛm"
            token._.rating = 5


def _tag_stops(tokens: list[Any]) -> None:
    """Gives each full stop the tag of one: spaCy's model sometimes takes it for a word, and its pause would be lost."""
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        is_number = before is not None and before.text in _NUMERO and after is not None and after.text[:1].isdigit()
        if token.text == "." and not is_number:
            token.tag = "."


def _tag(tokens: list[Any]) -> None:
    """Gives each token the Penn Treebank tag that its spelling and its neighbours allow, or `NN`."""
    is_open = False
    for i, token in enumerate(tokens):
        before, after = tokens[i - 1] if i else None, tokens[i + 1] if i + 1 < len(tokens) else None
        if token.text in _QUOTES:
            is_open = not is_open
            token.tag = "``" if is_open else "''"
        elif token.text in _HYPHENS and before is not None and not before.whitespace:
            token.tag = "HYPH"
        elif (
            token.text == "."
            and before is not None
            and before.text in _NUMERO
            and after is not None
            and after.text[0].isdigit()
        ):
            token.tag = "NN"
        else:
            token.tag = _tag_alone(token.text, has_next=after is not None and after.text[:1].isalnum())


def _tag_alone(text: str, *, has_next: bool) -> str:
    signs = {_SIGNS.get(character) for character in text}
    if len(signs) == 1 and (sign := signs.pop()) is not None:
        return sign
    if _NUMBER.fullmatch(text):
        return "CD"
    if text.lower() == "a" and not has_next:
        return "NN"
    return _WORDS.get(text.lower(), "NN")
