"""Inline markup, with which a user says how a text is spoken: `[pause:1.5s]`, `[word](/phonemes/)`, and words whose phonemes
are given separately from the text.

Why a word with given phonemes becomes one character: no rule of any language then changes it on its way to the engine, which
looks up the word of that character. The characters are from a private-use plane of Unicode; a user's own become spaces.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from app.core.speech.boundaries import Ending, ending_of
from app.core.speech.lexicon import WORD, is_unspaced
from app.core.speech.pauses import FIND_PAUSE, PAUSE, PRIVATE, pause_seconds
from app.core.speech.phonemes import unknown_phonemes
from app.core.speech.voices import Blend
from workers.text.cancellation import check_cancelled
from workers.text.tracked_text import TrackedText

_FIRST: Final = 0xF0000
_MAX_GIVEN: Final = 0xFFFD
_FIRST_TURN: Final = 0x100000
_MAX_TURNS: Final = 0xFFFD
TURNS: Final = f"[{chr(_FIRST_TURN)}-{chr(_FIRST_TURN + _MAX_TURNS)}]"
_PRONUNCIATION: Final = re.compile(rf"\[((?:(?!{TURNS})[^\[\]\n]){{1,100}})\]\(/([^/\n]{{1,200}})/\)")
_DIVISION: Final = re.compile(rf"{PAUSE}|{TURNS}(?:\s*+{TURNS})*+", re.IGNORECASE)
NOT_TURN: Final = re.compile(rf"{TURNS}++")
_FIND_TURN: Final = re.compile(TURNS)
_AROUND: Final = 200
"""Characters before and after a turn in which the end of a sentence or a paragraph is looked for."""


_Tree = dict[str, "_Tree"]
"""A tree of words: maps each possible next character to the tree of what may follow it."""
_END: Final = ""
"""A key in place of a character: a word ends here."""


class Given(msgspec.Struct, frozen=True):
    """A word and the phonemes that a user gives for it."""

    word: str
    phonemes: str
    """Phonemes in Misaki's alphabet."""


class Manner(msgspec.Struct, frozen=True):
    """How a part of a text is spoken, where it differs from the whole text."""

    voice: Blend | None = None
    """None: the voice of the whole text."""
    language: str | None = None
    """BCP 47 tag. None: the language of the whole text."""
    rate: float = 1.0
    """The speed, as a multiple of that of the whole text."""
    speaker: str | None = None
    """The voice as the user wrote it. None: the voice of the whole text."""

    def over(self, other: "Manner") -> "Manner":
        """Returns this manner, with what it leaves open taken from `other`."""
        if self.voice is not None:
            return self
        return msgspec.structs.replace(self, voice=other.voice, language=self.language or other.language, speaker=other.speaker)


USUAL: Final = Manner()
"""As the whole text."""


CanSpeak = Callable[[Manner], bool]
"""Whether the engine has the voice and the language of a manner."""


class Section(msgspec.Struct, frozen=True):
    """A part of a text, up to the next pause that the user asks for or the next change of the manner."""

    tracked: TrackedText
    pause_seconds: float | None
    """Length of the pause after it in seconds; None without a pause."""
    manner: Manner = USUAL
    ending: Ending | None = None
    """The boundary at its end where only the manner changes."""


class Turn(msgspec.Struct, frozen=True):
    """A pause within a text, or a change of the manner or the speaker; one character stands for it."""

    manner: Manner | None = None
    """The manner after it, as SSML asks for it; None where it stays."""
    pause_seconds: float | None = None
    speaker: Manner | None = None
    """Voice and language after it where SSML asks for no others, as a tag such as `[af_heart]` sets them; None where they
    stay.
    """
    ends_line: bool = False
    """Whether the text before it is at least a sentence."""


class Markup:
    """The words of a text whose phonemes are given, and its turns; one character replaces each."""

    def __init__(self) -> None:
        self._given: list[Given] = []
        self._turns: list[Turn] = []

    def stand_for(self, given: Given) -> str | None:
        """Returns the character that stands for `given`; None when there are too many."""
        if len(self._given) >= _MAX_GIVEN:
            return None
        self._given.append(given)
        return chr(_FIRST + len(self._given) - 1)

    def add_turn(self, turn: Turn) -> str:
        """Returns the character that stands for `turn`; empty when there are too many."""
        if len(self._turns) >= _MAX_TURNS:
            return ""
        self._turns.append(turn)
        return chr(_FIRST_TURN + len(self._turns) - 1)

    def speakers_in(self, text: str) -> list[tuple[int, Manner]]:
        """Returns the turns in `text` that change the speaker: the place and the manner of each."""
        found = ((match.start(), self.turn(match[0]).speaker) for match in _FIND_TURN.finditer(text))
        return [(place, speaker) for place, speaker in found if speaker is not None]

    def turn(self, character: str) -> Turn:
        """Returns the turn that a character of `add_turn` stands for."""
        return self._turns[ord(character) - _FIRST_TURN]

    def find(self, character: str) -> Given | None:
        """Returns the word that a character stands for; None for any other character."""
        number = ord(character) - _FIRST
        return self._given[number] if 0 <= number < len(self._given) else None

    def restore(self, text: str) -> str:
        """Returns `text` with the words in place of their characters."""
        return PRIVATE.sub(lambda match: given.word if (given := self.find(match[0])) else "", text)

    def restore_tracked(self, tracked: TrackedText) -> TrackedText:
        """Returns `tracked` with the words in place of their characters, for an engine that takes no phonemes."""
        return tracked.sub(PRIVATE, lambda match: self.restore(match[0]))

    def parts(self, text: str) -> Iterator[tuple[int, str, Given | None]]:
        """Yields the parts of `text`: start, text, and the word that it stands for if it is one of these characters."""
        start = 0
        for match in PRIVATE.finditer(text):
            if start < match.start():
                yield start, text[start : match.start()], None
            yield match.start(), match[0], self.find(match[0])
            start = match.end()
        if start < len(text):
            yield start, text[start:], None


NO_MARKUP: Final = Markup()
"""The markup of a text without given phonemes."""


def clear(text: str) -> TrackedText:
    """Returns the user's text with spaces in place of characters to which Koe gives a meaning."""
    return TrackedText.of(text).sub(PRIVATE, " ")


def read_markup(
    text: str | TrackedText, pronunciations: Sequence[tuple[str, str]], markup: Markup | None = None
) -> tuple[list[Section], Markup]:
    """Divides the user's text at its pauses and turns, and replaces each word whose phonemes are given by one character.

    Text that only looks like markup (a link, an unknown phoneme) stays as it is. `markup`: that of a text from `clear` in which
    tags are read already.
    """
    markup = markup or Markup()
    tracked = clear(text) if isinstance(text, str) else text
    table = dict(pronunciations)
    tracked = tracked.sub(_PRONUNCIATION, lambda match: _read_pronunciation(match, markup))
    if table:
        places = _find_unspaced(tracked.text, table)
        found = ((start, end, _given(tracked.text[start:end], table, markup)) for start, end in places)
        tracked = tracked.replace((start, end, given) for start, end, given in found if given is not None)
        tracked = tracked.sub(WORD, lambda match: _given(match[0], table, markup))
    return list(_sections(tracked, markup)), markup


def plain(word: str) -> str:
    """Returns a word as it was written, without its markup."""
    return FIND_PAUSE.sub("", _PRONUNCIATION.sub(r"\1", word))


def _read_pronunciation(match: re.Match[str], markup: Markup) -> str | None:
    word, phonemes = match[1].strip(), match[2].strip()
    return None if not word or not phonemes or unknown_phonemes(phonemes) else markup.stand_for(Given(word, phonemes))


def _given(word: str, table: Mapping[str, str], markup: Markup) -> str | None:
    phonemes = table.get(word) or table.get(word.lower())
    return markup.stand_for(Given(word, phonemes)) if phonemes else None


def _find_unspaced(text: str, words: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yields start and end of each occurrence of a word written without spaces around it; the longest where several match.

    Why not one pattern of all words: it would try each word at each place, in a single call.
    """
    tree: _Tree = {}
    for word in filter(is_unspaced, words):
        branch = tree
        for character in word:
            branch = branch.setdefault(character, {})
        branch[_END] = {}
    if not tree:
        return
    done = 0
    for match in re.finditer(f"[{re.escape(''.join(tree))}]", text):
        check_cancelled()
        end = _longest(text, match.start(), tree) if match.start() >= done else 0
        if end:
            yield match.start(), end
            done = end


def _longest(text: str, start: int, tree: "_Tree") -> int:
    """Returns the end of the longest word of the tree that begins at `start`; 0 if there is none."""
    found = 0
    for place in range(start, len(text)):
        if _END in tree:
            found = place
        if text[place] not in tree:
            return found
        tree = tree[text[place]]
    return len(text) if _END in tree else found


def _sections(tracked: TrackedText, markup: Markup) -> Iterator[Section]:
    start, manner, speaker = 0, USUAL, USUAL
    for match in _DIVISION.finditer(tracked.text):
        check_cancelled()
        before = tracked.cut(start, match.start())
        start = match.end()
        if match[1]:
            yield Section(before, pause_seconds(match), manner.over(speaker))
            continue
        turns = [markup.turn(character) for character in match[0] if not character.isspace()]
        pauses = [turn.pause_seconds for turn in turns if turn.pause_seconds is not None]
        ending = None if pauses else _ending_at(tracked.text, match, ends_line=any(turn.ends_line for turn in turns))
        yield Section(before, sum(pauses) if pauses else None, manner.over(speaker), ending)
        manner = next((turn.manner for turn in reversed(turns) if turn.manner is not None), manner)
        speaker = next((turn.speaker for turn in reversed(turns) if turn.speaker is not None), speaker)
    yield Section(tracked.cut(start, len(tracked)), None, manner.over(speaker))


def _ending_at(text: str, match: re.Match[str], *, ends_line: bool) -> Ending:
    """Returns the kind of boundary at which the manner changes."""
    following = text[match.end() : match.end() + _AROUND]
    space = following[: len(following) - len(following.lstrip())]
    ending = ending_of(NOT_TURN.sub("", text[max(0, match.start() - _AROUND) : match.end()]) + space)
    return Ending.SENTENCE if ends_line and ending is not Ending.PARAGRAPH else ending
