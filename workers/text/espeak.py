"""espeak-ng's library, as espeakng-loader brings it: its voices, its phonemes and its speech, through ctypes.

Why the library is loaded anew for all that is spoken: it keeps the phase of its oscillators and of its flutter from one text
to the next, so that the same text would not give the same samples twice. Loading takes half a millisecond, and is done from a
private copy, because a file that anybody else in the process has open is not really loaded again. Phonemes depend on nothing
that went before (tried with 600 texts in 12 languages), so one copy stays loaded for them.

Why some of its memory is freed from here: what the library forgets to free at its end would be lost with every load, some
kilobytes each, and a worker speaks for months.

Why one lock: the library is global and not thread-safe, and misaki's phonemizer uses copies of it that are no better. `LOCK`
is held around every call into any of them.
"""

import _ctypes
import atexit
import ctypes
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import espeakng_loader
import msgspec
import numpy as np
import numpy.typing as npt

from app.core.errors import EngineFailed, EngineUnavailable

_libc: Final = ctypes.CDLL(None)
_libc.free.argtypes = (ctypes.c_void_p,)

LOCK: Final = threading.RLock()
"""Held around every call into espeak-ng in this process."""

RATE_HZ: Final = 22_050
"""Of its samples."""
LEAST_WPM: Final = 80
MOST_WPM: Final = 700
"""Words per minute within which its speed follows what it is told."""

_SYNCHRONOUS: Final = 2
_DO_NOT_EXIT: Final = 0x8000
_UTF_8: Final = 1
_IPA: Final = 2
_RATE, _PITCH = 1, 3
_EVENT_END, _EVENT_WORD = 0, 1
_SEED: Final = 1
_SWITCH: Final = re.compile(r"\([a-z]{2,3}(?:-[a-z0-9]+)*\)")
"""Stands in the phonemes where espeak-ng changes the language."""
_SELF_TEST_SECONDS: Final = 60

_BROKEN: Final = (
    "espeak-ng does not work on this machine{}. Install it again with `pip install --force-reinstall espeakng-loader`."
)


class WordEvent(msgspec.Struct, frozen=True):
    """Where a word begins, in the text and in the samples."""

    character: int
    sample: int


class _VoiceStruct(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.POINTER(ctypes.c_char)),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class _EventStruct(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("message", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_int64),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_EventStruct))


class Library:
    """espeak-ng in its first state. Made by `opened` and of no use outside of its `with`."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._samples: list[npt.NDArray[np.int16]] = []
        self._words: list[WordEvent] = []
        self._is_short = False
        self._callback = _Callback(self._receive)
        _declare(library)
        if library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), _DO_NOT_EXIT) != RATE_HZ:
            raise EngineUnavailable(_BROKEN.format(": it does not find its data"))
        library.espeak_ng_SetRandSeed(_SEED)
        library.espeak_SetSynthCallback(self._callback)

    def voices(self) -> dict[str, str]:
        """The identifier of the best voice for each language tag, in lower case."""
        table, ranks = {}, dict[str, int]()
        listed = self._library.espeak_ListVoices(None)
        index = 0
        while listed[index]:
            voice = listed[index].contents
            for rank, tag in _read_languages(voice.languages):
                if rank < ranks.get(tag, 256):
                    table[tag], ranks[tag] = voice.identifier.decode(), rank
            index += 1
        return table

    def phonemes(self, text: str, voice: str) -> str:
        """`text` in espeak-ng's IPA, clauses joined by spaces; empty when there is nothing to say."""
        self._set_voice(voice)
        # A voice that is set waits in the library's line of commands, and is freed only once something has been spoken.
        self._synthesize(b" ")
        pointer = ctypes.c_char_p(_encode(text))
        clauses = []
        while pointer.value is not None:
            clauses.append(self._library.espeak_TextToPhonemes(ctypes.byref(pointer), _UTF_8, _IPA) or b"")
        return " ".join(_SWITCH.sub("", b" ".join(clauses).decode()).split())

    def speak(self, text: str, voice: str, *, wpm: int, pitch: int) -> tuple[npt.NDArray[np.int16], list[WordEvent]]:
        """`text` as samples (n_samples,) at RATE_HZ, and its words. `wpm` from 80 to 700, `pitch` from 0 to 100, usually 50."""
        self._set_voice(voice)
        self._library.espeak_SetParameter(_RATE, wpm, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._synthesize(_encode(text))
        return np.concatenate([np.zeros(0, np.int16), *self._samples]), self._words

    def close(self) -> None:
        """Ends it, and frees its table of voices, which it loses sight of."""
        table = self._library.espeak_ListVoices(None)
        self._library.espeak_Terminate()
        _libc.free(ctypes.cast(table, ctypes.c_void_p))

    def _synthesize(self, data: bytes) -> None:
        self._samples, self._words, self._is_short = [], [], False
        if self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF_8, None, None) != 0:
            raise EngineFailed("espeak-ng could not speak a segment.")
        if self._is_short:
            raise MemoryError

    def _set_voice(self, voice: str) -> None:
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EngineUnavailable(_BROKEN.format(f": the voice {voice} is missing"))

    def _receive(self, wave: "ctypes._Pointer[ctypes.c_short]", n_samples: int, events: "ctypes._Pointer[_EventStruct]") -> int:
        """Called by the library with every piece of audio and the events in it; 1 ends its work. ctypes would swallow what is
        raised here, and the piece would be missing.
        """
        try:
            self._take(wave, n_samples, events)
        except MemoryError:
            self._is_short = True
        return int(self._is_short)

    def _take(self, wave: "ctypes._Pointer[ctypes.c_short]", n_samples: int, events: "ctypes._Pointer[_EventStruct]") -> None:
        if wave and n_samples:
            self._samples.append(np.ctypeslib.as_array(wave, (n_samples,)).copy())
        index = 0
        while events[index].type != _EVENT_END:
            if events[index].type == _EVENT_WORD:
                self._words.append(WordEvent(max(0, events[index].text_position - 1), events[index].sample))
            index += 1


@contextmanager
def opened() -> Iterator[Library]:
    """The library, newly loaded, for one thread at a time; not to be opened again within.

    Raises EngineUnavailable when it cannot be loaded.
    """
    with LOCK:
        loaded = _load("speaking")
        try:
            library = Library(loaded)
            try:
                yield library
            finally:
                library.close()
        finally:
            _ctypes.dlclose(loaded._handle)


def phonemes(text: str, voice: str) -> str:
    """See Library.phonemes. Raises EngineUnavailable when the library cannot be loaded, or lacks the voice."""
    with LOCK:
        return _phonemizing().phonemes(text, voice)


@cache
def voices() -> Mapping[str, str]:
    """The identifier of the best voice for each language tag that espeak-ng knows, in lower case."""
    with opened() as library:
        return library.voices()


def find_voice(language: str) -> str | None:
    """The voice for a BCP 47 tag or the nearest shorter one (`ko-KR` → `ko`); None when espeak-ng lacks the language."""
    tag = language.lower()
    while tag and tag not in voices():
        tag = tag.rpartition("-")[0]
    return voices()[tag] if tag else None


def self_test() -> None:
    """Speaks one word in a process of its own, since a broken library takes its process along. Raises EngineUnavailable."""
    program = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from workers.text.espeak import probe; probe()"
    command = [sys.executable, "-c", program, json.dumps(sys.path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SELF_TEST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise EngineUnavailable(_BROKEN.format(": it hangs")) from None
    if done.returncode != 0:
        raise EngineUnavailable(_BROKEN.format(""))


def probe() -> None:
    """What `self_test` runs. Raises EngineUnavailable."""
    voice = find_voice("en-US") or ""
    with opened() as library:
        samples, _ = library.speak("one", voice, wpm=175, pitch=50)
    if not samples.any():
        raise EngineUnavailable(_BROKEN.format(": it stays silent"))


@cache
def _phonemizing() -> Library:
    """The copy that stays loaded."""
    return Library(_load("phonemizing"))


def _load(purpose: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(_private_copy(purpose))
    except OSError as error:
        raise EngineUnavailable(_BROKEN.format("")) from error


@cache
def _private_copy(purpose: str) -> str:
    """A copy of the library's file that nobody opens for anything else, for the life of the process."""
    folder = tempfile.mkdtemp(prefix=f"koe-espeak-{purpose}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(shutil.copy(espeakng_loader.get_library_path(), Path(folder)))


def _declare(library: ctypes.CDLL) -> None:
    library.espeak_ng_SetRandSeed.argtypes = (ctypes.c_long,)
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceStruct))
    library.espeak_TextToPhonemes.argtypes = (ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int)
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_Synth.argtypes = (
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.POINTER(ctypes.c_uint),
        ctypes.c_void_p,
    )


def _encode(text: str) -> bytes:
    return text.replace("\0", " ").encode("utf-8", "replace")


def _read_languages(pointer: "ctypes._Pointer[ctypes.c_char]") -> Iterator[tuple[int, str]]:
    """The rank (lower is better) and tag of each language of a voice: a byte, a string, and so on until a zero byte."""
    index = 0
    while (rank := pointer[index][0]) != 0:
        end = index + 1
        while pointer[end] != b"\0":
            end += 1
        yield rank, bytes(pointer[index + 1 : end]).decode().lower()
        index = end + 1
