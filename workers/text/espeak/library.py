"""espeak-ng from the package espeakng-loader: its voices, its phonemes and its speech.

Why other processes run it: see `child_process`. So nothing that the library does can end this process, and a thread waits for
another's text only if all processes are busy.

Why a text that kills the library is asked for again in halves: the cause is mostly a long run of one kind, and most of the
text, or all of it, can be said.
"""

import atexit
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Final, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from app.core.errors import EngineFailed
from app.core.speech.boundaries import Ending
from workers.text.cancellation import check_cancelled_while_waiting
from workers.text.espeak import child_process
from workers.text.espeak.processes import Children, CrashingText, Question, broken
from workers.text.espeak.sanitize import divide_runs
from workers.text.segment import Piece, halve

log: Final = structlog.get_logger()

RATE_HZ: Final = child_process.RATE_HZ
"""Sample rate of its audio."""
MIN_WPM: Final = 80
MAX_WPM: Final = 700
"""Range of words per minute in which its speed follows the value it is given."""

PHONEMIZING: Final = Children()
SPEAKING: Final = Children()
"""Processes of their own, since to speak they load the library again for each text."""

_SWITCH: Final = re.compile(r"\([a-z]{2,3}(?:-[a-z0-9]+)*\)")
"""The mark in the phonemes where espeak-ng changes the language."""
_MAX_CRASHES: Final = 24
_CRASHING_SECONDS: Final = 5.0
"""Limits for one text that espeak-ng does not survive: number of deaths, and seconds since the first."""

_T = TypeVar("_T")

for _children in (PHONEMIZING, SPEAKING):
    atexit.register(_children.close)


class WordEvent(msgspec.Struct, frozen=True):
    """Start of a word, in the text and in the samples."""

    character: int
    sample: int


def phonemes(text: str, voice: str) -> str:
    """Returns `text` in espeak-ng's IPA, clauses joined by spaces; empty when there is nothing to say.

    Raises EngineUnavailable when espeak-ng does not work or lacks the voice, EngineFailed when it does not survive the text.
    """
    return " ".join(_SWITCH.sub("", _say(child_process.PHONEMES, text, voice)).split())


def tied_phonemes(text: str, voice: str) -> str:
    """Returns phonemes for phonemizer: unchanged, with a tie between the characters of a phoneme. Raises as `phonemes`."""
    return _say(child_process.TIED_PHONEMES, text, voice)


def speak(text: str, voice: str, *, wpm: int, pitch: int) -> tuple[npt.NDArray[np.int16], list[WordEvent]]:
    """Returns `text` as samples (n_samples,) at RATE_HZ, and its words. `wpm`: 80 to 700; `pitch`: 0 to 100, usually 50.

    Raises as `phonemes`, and MemoryError.
    """
    ask = partial(_speak_once, voice=voice, wpm=wpm, pitch=pitch)
    samples, words = [np.zeros(0, np.int16)], list[WordEvent]()
    for start, (part, events) in _surviving(text, ask):
        n_before = sum(map(len, samples))
        samples.append(part)
        words.extend(WordEvent(start + event.character, n_before + event.sample) for event in events)
    return np.concatenate(samples), words


@cache
def voices() -> Mapping[str, str]:
    """Returns the identifier of the best voice for each language tag that espeak-ng knows, in lower case."""
    table, ranks = {}, dict[str, int]()
    for identifier, languages in _listed():
        for rank, tag in languages:
            if rank < ranks.get(tag.lower(), 256):
                table[tag.lower()], ranks[tag.lower()] = identifier, rank
    return table


@cache
def first_voices() -> Mapping[str, str]:
    """Returns, for each tag, the identifier of the first voice whose first language has it, as phonemizer finds a voice."""
    table = dict[str, str]()
    for identifier, languages in _listed():
        table.setdefault(languages[0][1] if languages else "", identifier)
    return table


def find_voice(language: str) -> str | None:
    """Returns the voice for a BCP 47 tag or the nearest shorter one (`ko-KR` → `ko`); None if espeak-ng lacks the language."""
    tag = language.lower()
    while tag and tag not in voices():
        tag = tag.rpartition("-")[0]
    return voices()[tag] if tag else None


def self_test() -> None:
    """Speaks one word. Raises EngineUnavailable when espeak-ng does not work."""
    try:
        samples, _ = _speak_once("one", voice=find_voice("en-US") or "", wpm=175, pitch=50)
    except CrashingText as error:
        raise broken(f"it ends with {error}") from None
    if not samples.any():
        raise broken("it stays silent")


@cache
def _listed() -> list[tuple[str, list[tuple[int, str]]]]:
    """Returns the identifier of each voice, with the rank (lower is better) and tag of each of its languages."""
    try:
        found: list[tuple[str, list[tuple[int, str]]]] = json.loads(PHONEMIZING.ask(Question(child_process.VOICES)).data)
    except CrashingText as error:
        raise broken(f"it ends with {error}") from None
    return found


def _say(kind: int, text: str, voice: str) -> str:
    ask = partial(_say_once, kind=kind, voice=voice)
    return " ".join(part for _, part in _surviving(text, ask) if part)


def _say_once(text: str, *, kind: int, voice: str) -> str:
    return PHONEMIZING.ask(Question(kind, voice, _encode(divide_runs(text)))).data.decode("utf-8", "replace")


def _speak_once(text: str, *, voice: str, wpm: int, pitch: int) -> tuple[npt.NDArray[np.int16], list[WordEvent]]:
    answer = SPEAKING.ask(Question(child_process.SPEECH, voice, _encode(text), wpm, pitch))
    return np.frombuffer(answer.data, np.int16), [WordEvent(*word) for word in answer.words]


def _surviving(text: str, ask: Callable[[str], _T]) -> list[tuple[int, _T]]:
    """Returns the answer to `text`, or the answers to its parts if espeak-ng does not survive it whole, each with the start of
    its part. A character that crashes it by itself is left out. Raises EngineFailed beyond _MAX_CRASHES or _CRASHING_SECONDS.
    """
    n_crashes, crashed_at = 0, 0.0

    def go(piece: Piece) -> Iterator[tuple[int, _T]]:
        nonlocal n_crashes, crashed_at
        try:
            yield piece.start, ask(piece.text)
            return
        except CrashingText as error:
            n_crashes, crashed_at = n_crashes + 1, crashed_at or time.monotonic()
            check_cancelled_while_waiting()
            log.warning("espeak_text_parted", n_characters=len(piece.text), error=str(error))
        if n_crashes > _MAX_CRASHES or time.monotonic() - crashed_at > _CRASHING_SECONDS:
            raise EngineFailed("espeak-ng cannot speak a part of this text. A shorter or simpler text may work.")
        if len(piece.text) > 1:
            for half in halve(piece):
                yield from go(half)

    return list(go(Piece(text, Ending.SENTENCE)))


def _encode(text: str) -> bytes:
    return text.replace("\0", " ").encode("utf-8", "replace")
