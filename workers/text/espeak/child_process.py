"""The child process in which espeak-ng runs: it answers `workers.text.espeak.library` over its standard input and output.

Why a process: a text can make the library write beyond its tables, abort or never return, and none of that may cost a worker or
another listener. This program imports only the standard library and is started as a file, so it is ready in some 30 ms.

Why the library is loaded again for each text that is spoken: it keeps the phase of its oscillators and of its flutter from one
text to the next, so the same text would not give the same samples twice. It is loaded again after an answer, when nobody waits.
Phonemes do not depend on earlier texts (tried with 600 texts in 12 languages), so for them the library stays loaded.

Why this program frees some of the library's memory: the library does not free it when it ends, so each load would lose some
kilobytes, and a process speaks for months.

A question is QUESTION, a voice and a text; an answer is ANSWER, the words (WORD each) and its data: samples (int16) or text.
"""

import _ctypes
import ctypes
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

QUESTION: Final = struct.Struct("<BHIHH")
"""Head of a question: its kind, the lengths of the voice's name and of the text in bytes, words per minute, pitch."""
ANSWER: Final = struct.Struct("<BII")
"""Head of an answer: its status, the number of words, the length of the data in bytes."""
WORD: Final = struct.Struct("<II")
"""Start of a word, in the text's characters and in the samples."""

VOICES, PHONEMES, TIED_PHONEMES, SPEECH = range(4)
"""Kinds of question. Tied phonemes have the form of phonemizer's, with a tie between the characters of one phoneme."""
SUCCEEDED, BROKEN, FAILED, OUT_OF_MEMORY = range(4)
"""Statuses of an answer. The data of BROKEN and FAILED is a phrase that says why."""

NOEXEC: Final = "mounted noexec"
"""Part of the phrase when a library may not be loaded from its folder."""
RATE_HZ: Final = 22_050
MAX_BYTES: Final = 16 * 1024**2
"""Limit of an answer's data: six minutes of speech, of which the longest segment has one and a half."""
CPU_SECONDS: Final = 2.0
CPU_SECONDS_PER_BYTE: Final = 0.002
"""Limit for one answer, and what each byte of the text adds to it; the longest segments need a twentieth of it. It limits CPU
time, since a busy machine may take long.
"""

_LIMITS: Final = {
    resource.RLIMIT_AS: 1024**3,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NPROC: 0,
}
"""The process can write no file and start no process, whatever a text makes it do; as root it can still start one."""
_SYNCHRONOUS: Final = 2
_DO_NOT_EXIT: Final = 0x8000
_UTF_8: Final = 1
_IPA: Final = 2
_TIED: Final = _IPA | 1 << 7 | ord("͡") << 8
_RATE, _PITCH = 1, 3
_EVENT_END, _EVENT_WORD = 0, 1
_SEED: Final = 1

_libc: Final = ctypes.CDLL(None)
_libc.free.argtypes = (ctypes.c_void_p,)


class BrokenError(Exception):
    """The library does not work here; the message says why."""


class FailedError(Exception):
    """The library refused a text."""


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
    """espeak-ng in its initial state, newly loaded. Unusable after `close`. Only one at a time: a second would be the same."""

    def __init__(self, path: str, data_path: str) -> None:
        """Raises BrokenError."""
        self._samples: list[bytes] = []
        self._n_bytes = 0
        self._words: list[tuple[int, int]] = []
        self._is_out_of_memory = False
        self._voice = ""
        self._callback = _Callback(self._receive)
        try:
            self._library = ctypes.CDLL(path)
        except OSError as error:
            raise BrokenError(_why(str(error), path)) from error
        _declare(self._library)
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(data_path), _DO_NOT_EXIT) != RATE_HZ:
            raise BrokenError("it does not find its data")
        self._library.espeak_ng_SetRandSeed(_SEED)
        self._library.espeak_SetSynthCallback(self._callback)

    def voices(self) -> list[tuple[str, list[tuple[int, str]]]]:
        """Returns the identifier of each voice, with the rank (lower is better) and tag of each of its languages."""
        listed = self._library.espeak_ListVoices(None)
        found, index = [], 0
        while listed[index]:
            voice = listed[index].contents
            found.append((voice.identifier.decode(), list(_read_languages(voice.languages))))
            index += 1
        return found

    def phonemes(self, text: bytes, voice: str, mode: int) -> bytes:
        """Returns `text` in espeak-ng's IPA, clauses joined by spaces."""
        if voice != self._voice:
            self._set_voice(voice)
            # A voice that is set waits in the library's queue of commands, and is freed only after something has been spoken.
            self._synthesize(b" ")
            self._voice = voice
        pointer = ctypes.c_char_p(text)
        clauses = []
        while pointer.value is not None:
            clauses.append(self._library.espeak_TextToPhonemes(ctypes.byref(pointer), _UTF_8, mode))
        return b" ".join(filter(None, clauses))

    def speak(self, text: bytes, voice: str, *, wpm: int, pitch: int) -> tuple[bytes, list[tuple[int, int]]]:
        """Returns `text` as samples (int16) at RATE_HZ, and where its words begin, in characters and in samples."""
        self._set_voice(voice)
        self._library.espeak_SetParameter(_RATE, wpm, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._synthesize(text)
        return b"".join(self._samples), self._words

    def close(self) -> None:
        """Ends the library and frees its table of voices, which the library itself does not free."""
        table = self._library.espeak_ListVoices(None)
        self._library.espeak_Terminate()
        _libc.free(ctypes.cast(table, ctypes.c_void_p))
        _ctypes.dlclose(self._library._handle)

    def _synthesize(self, data: bytes) -> None:
        self._samples, self._n_bytes, self._words, self._is_out_of_memory = [], 0, [], False
        if self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF_8, None, None) != 0:
            raise FailedError("espeak-ng could not speak a segment.")
        if self._is_out_of_memory:
            raise MemoryError

    def _set_voice(self, voice: str) -> None:
        self._voice = ""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise BrokenError(f"the voice {voice} is missing")

    def _receive(self, wave: "ctypes._Pointer[ctypes.c_short]", n_samples: int, events: "ctypes._Pointer[_EventStruct]") -> int:
        """The library calls this with every piece of audio and its events; 1 stops it. ctypes would swallow an exception raised
        here, and the piece would be missing.
        """
        try:
            self._collect(wave, n_samples, events)
        except MemoryError:
            self._is_out_of_memory = True
        return int(self._is_out_of_memory)

    def _collect(
        self, wave: "ctypes._Pointer[ctypes.c_short]", n_samples: int, events: "ctypes._Pointer[_EventStruct]"
    ) -> None:
        if wave and n_samples:
            self._n_bytes += 2 * n_samples
            if self._n_bytes > MAX_BYTES:
                raise MemoryError
            self._samples.append(ctypes.string_at(wave, 2 * n_samples))
        index = 0
        while events[index].type != _EVENT_END:
            if events[index].type == _EVENT_WORD:
                self._words.append((max(0, events[index].text_position - 1), max(0, events[index].sample)))
            index += 1


class Child:
    """Answers one question after the other, until the process that asks them has ended."""

    def __init__(self, questions: int, answers: int, path: str, data_path: str) -> None:
        """`questions` and `answers` are file descriptors; the paths lead to the library and to its data."""
        self._questions = questions
        self._answers = answers
        self._paths = path, data_path
        self._library: Library | None = None
        self._is_fresh = False

    def serve(self) -> None:
        """Answers the questions. Returns when there are no more."""
        while (head := _read(self._questions, QUESTION.size)) is not None:
            kind, n_voice, n_text, wpm, pitch = QUESTION.unpack(head)
            body = _read(self._questions, n_voice + n_text)
            if body is None:
                return
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS + CPU_SECONDS_PER_BYTE * n_text)
            status, words, data = self._try(kind, body[:n_voice].decode(), body[n_voice:], wpm, pitch)
            _write(self._answers, ANSWER.pack(status, len(words), len(data)), *(WORD.pack(*word) for word in words), data)
            if kind == SPEECH and status == SUCCEEDED:
                with suppress(BrokenError):
                    self._renew()
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _try(self, kind: int, voice: str, text: bytes, wpm: int, pitch: int) -> tuple[int, list[tuple[int, int]], bytes]:
        try:
            return SUCCEEDED, *self._answer(kind, voice, text, wpm, pitch)
        except BrokenError as error:
            return BROKEN, [], str(error).encode("utf-8", "replace")
        except FailedError as error:
            return FAILED, [], str(error).encode()
        except MemoryError:
            return OUT_OF_MEMORY, [], b""

    def _answer(self, kind: int, voice: str, text: bytes, wpm: int, pitch: int) -> tuple[list[tuple[int, int]], bytes]:
        if self._library is None or (kind == SPEECH and not self._is_fresh):
            self._renew()
        assert self._library is not None
        if kind == VOICES:
            return [], json.dumps(self._library.voices()).encode()
        self._is_fresh = False
        if kind == SPEECH:
            samples, words = self._library.speak(text, voice, wpm=wpm, pitch=pitch)
            return words, samples
        return [], self._library.phonemes(text, voice, _TIED if kind == TIED_PHONEMES else _IPA)

    def _renew(self) -> None:
        if self._library is not None:
            old, self._library = self._library, None
            old.close()
        self._library, self._is_fresh = Library(*self._paths), True


def _why(error: str, path: str) -> str:
    """Returns why a library cannot be loaded, without its folder, since users see the reason."""
    if "failed to map segment" in error:
        return f"its library cannot be loaded from a folder that is {NOEXEC}"
    return f"its library cannot be loaded ({error.replace(path, path.rpartition('/')[2])})"


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


def _read_languages(pointer: "ctypes._Pointer[ctypes.c_char]") -> Iterator[tuple[int, str]]:
    """Yields the rank and tag of each language of a voice: a byte and a string for each, until a zero byte."""
    index = 0
    while (rank := pointer[index][0]) != 0:
        end = index + 1
        while pointer[end] != b"\0":
            end += 1
        yield rank, bytes(pointer[index + 1 : end]).decode()
        index = end + 1


def _read(descriptor: int, n_bytes: int) -> bytes | None:
    """Returns `n_bytes` bytes; None if the input ends before."""
    data = b""
    while len(data) < n_bytes:
        more = os.read(descriptor, n_bytes - len(data))
        if not more:
            return None
        data += more
    return data


def _write(descriptor: int, *parts: bytes) -> None:
    view = memoryview(b"".join(parts))
    while view:
        view = view[os.write(descriptor, view) :]


def main() -> None:
    """Answers questions until the end of standard input. The arguments are the paths of the library and of its data.

    The signals that end a worker reach all processes of its group or service, and the worker still needs this one to finish. So
    this process ignores them and ends with its standard input. Output of the library must not mix with the answers.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for kind, limit in _LIMITS.items():
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))
    answers = os.dup(1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    with suppress(OSError):
        Child(0, answers, *sys.argv[1:3]).serve()


if __name__ == "__main__":
    main()
