"""Cuts text into pieces that an engine speaks at once: at sentences, else at clauses, else at words.

Why 100 to 200 phonemes: prosody is weak in pieces under 20 and rushed in pieces over 400. Only the first piece is short: it is
one clause if there is one, since the listener waits for it.

Why the number of phonemes is guessed from the characters: the pieces are made lazily, before anything is phonemized; `fit`
halves a piece that turns out too long.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from math import ceil
from typing import Final, TypeVar

import msgspec

from app.core.speech.boundaries import WORD, Ending, between_characters, find_boundaries, find_paragraphs, weigh
from workers.text.cancellation import check_cancelled

_T = TypeVar("_T")
_P = TypeVar("_P", bound=Sized)

FIRST_WEIGHT: Final = 20
"""The first piece ends at the first boundary from here on."""
MIN_WEIGHT: Final = 100
"""A piece shorter than this is joined with the next sentence, if both together stay under MAX_WEIGHT."""
MAX_WEIGHT: Final = 200
"""A sentence longer than this is cut at its clauses, a clause longer than this at its words."""


class Piece(msgspec.Struct, frozen=True):
    """A part of the text, without white space around it, and the kind of boundary at its end."""

    text: str
    ending: Ending
    start: int = 0
    """Index of its first character in the whole text."""


class _Atom(msgspec.Struct, frozen=True):
    """The text from one boundary to the next, including the white space after it."""

    text: str
    ending: Ending
    weight: float
    """Estimated number of phonemes."""


_CUT_CHARS: Final = 10


def segment(text: str, language: str, *, is_opening: bool = True) -> Iterator[Piece]:
    """Yields the pieces of `text` in order and lazily; joined, they are the text except for white space.

    `language` is a BCP 47 tag. `is_opening`: a listener waits for the beginning of the text. Blank text gives no piece.
    """
    group_at = _first_and_rest if is_opening else _join
    for (start, end), is_last in _mark_last(find_paragraphs(text)):
        atoms, place = _cut_long(_find_atoms(text[start:end], language)), start
        for group, is_end in _mark_last(group_at(atoms)):
            check_cancelled()
            ending = Ending.PARAGRAPH if is_end and not is_last else group[-1].ending
            whole = "".join(atom.text for atom in group)
            yield _stripped(whole, ending, place)
            place += len(whole)
        group_at = _join


def halve(piece: Piece) -> tuple[Piece, Piece]:
    """Divides `piece` at the best boundary in its middle half: a sentence, else a clause, else a word, else a character.

    Raises ValueError for a piece of one character.
    """
    text = piece.text
    if len(text) < 2:
        raise ValueError("one character cannot be halved")
    for ending, places in _places(text):
        middle = [place for place in places if len(text) / 4 <= place <= 3 * len(text) / 4]
        if middle:
            place = min(middle, key=lambda place: abs(place - len(text) / 2))
            return _divide_at(piece, place, ending)
    return _divide_at(piece, between_characters(text, len(text) // 2), Ending.CUT)


def fit(piece: Piece, phonemize: Callable[[str], _P], limit: int) -> Iterator[tuple[Piece, _P]]:
    """Yields `piece` with its phonemes, halved repeatedly until no part has more than `limit` of them; nothing is left out."""
    phonemes = phonemize(piece.text)
    if len(phonemes) <= limit or len(piece.text) < 2:
        yield piece, phonemes
        return
    for half in halve(piece):
        yield from fit(half, phonemize, limit)


def _mark_last(parts: Iterable[_T]) -> Iterator[tuple[_T, bool]]:
    """Yields each of `parts` and whether it is the last."""
    iterator = iter(parts)
    held = next(iterator, None)
    while held is not None:
        following = next(iterator, None)
        yield held, following is None
        held = following


def _divide_at(piece: Piece, place: int, ending: Ending) -> tuple[Piece, Piece]:
    """Divides `piece` in two at a place in its text."""
    first = _stripped(piece.text[:place], ending, piece.start)
    return first, _stripped(piece.text[place:], piece.ending, piece.start + place)


def _stripped(text: str, ending: Ending, start: int) -> Piece:
    """Returns a piece of text that begins at `start`, without the white space around it."""
    return Piece(text.strip(), ending, start + len(text) - len(text.lstrip()))


def _places(text: str) -> Iterator[tuple[Ending, list[int]]]:
    """Yields the places where `text` can be divided, the best kind of boundary first."""
    found: dict[Ending, list[int]] = {Ending.SENTENCE: [], Ending.CLAUSE: []}
    place = 0
    for atom in _find_atoms(text, "en"):
        place += len(atom.text)
        found[atom.ending].append(place)
    yield from found.items()
    yield Ending.CUT, [match.end() for match in WORD.finditer(text)]


def _find_atoms(paragraph: str, language: str) -> Iterator[_Atom]:
    """Yields the parts of `paragraph` between its boundaries. The last one always counts as the end of a sentence."""
    start = 0
    for end, ending in find_boundaries(paragraph, 0, language):
        if end < len(paragraph):
            yield _atom(paragraph[start:end], ending)
            start = end
    if start < len(paragraph):
        yield _atom(paragraph[start:], Ending.SENTENCE)


def _atom(text: str, ending: Ending) -> _Atom:
    return _Atom(text, ending, weigh(text))


def _cut_long(atoms: Iterable[_Atom]) -> Iterator[_Atom]:
    """Yields `atoms`; one over MAX_WEIGHT is divided evenly between words, or within a word that is itself too long."""
    for atom in atoms:
        if atom.weight <= MAX_WEIGHT:
            yield atom
            continue
        words = (part for word in WORD.findall(atom.text) for part in _cut_word(word))
        parts = _even([_Atom(word, Ending.CUT, weigh(word)) for word in words], atom.weight)
        for part, is_last in _mark_last("".join(word.text for word in part) for part in parts):
            yield _atom(part, atom.ending if is_last else Ending.CUT)


def _cut_word(word: str) -> Iterator[str]:
    """Yields `word` whole, or a few characters at a time when it is too long to be a word."""
    start = 0
    while weigh(word[start : start + int(MAX_WEIGHT)]) > MAX_WEIGHT / 2:
        place = between_characters(word, start + _CUT_CHARS)
        yield word[start:place]
        start = place
    if start < len(word):
        yield word[start:]


def _even(atoms: list[_Atom], weight: float) -> Iterator[list[_Atom]]:
    """Yields `atoms` in as few groups under MAX_WEIGHT as possible, of about the same weight."""
    aim = weight / ceil(weight / MAX_WEIGHT)
    group: list[_Atom] = []
    gathered = 0.0
    for atom in atoms:
        if group and (gathered + atom.weight / 2 > aim or gathered + atom.weight > MAX_WEIGHT):
            yield group
            group, gathered = [], 0.0
        group.append(atom)
        gathered += atom.weight
    if group:
        yield group


def _first_and_rest(atoms: Iterator[_Atom]) -> Iterator[list[_Atom]]:
    """Yields the first piece, as short as FIRST_WEIGHT allows, then the rest joined."""
    first: list[_Atom] = []
    while sum(atom.weight for atom in first) < FIRST_WEIGHT and (atom := next(atoms, None)) is not None:
        first.append(atom)
    yield first
    yield from _join(atoms)


def _sentences(atoms: Iterable[_Atom]) -> Iterator[tuple[list[_Atom], float]]:
    """Yields the atoms of each sentence, with its weight."""
    sentence: list[_Atom] = []
    for atom in atoms:
        sentence.append(atom)
        if atom.ending is Ending.SENTENCE:
            yield sentence, sum(atom.weight for atom in sentence)
            sentence = []
    if sentence:
        yield sentence, sum(atom.weight for atom in sentence)


def _join(atoms: Iterable[_Atom]) -> Iterator[list[_Atom]]:
    """Yields groups of about MIN_WEIGHT to MAX_WEIGHT: short sentences together, a long one in parts."""
    held: list[_Atom] = []
    held_weight = 0.0
    for sentence, weight in _sentences(atoms):
        if held and (held_weight >= MIN_WEIGHT or held_weight + weight > MAX_WEIGHT):
            yield held
            held, held_weight = [], 0.0
        if weight > MAX_WEIGHT:
            yield from _even(sentence, weight)
            continue
        held, held_weight = held + sentence, held_weight + weight
    if held:
        yield held
