"""An utterance as server-sent events, for `stream_format: sse`: its audio in pieces, then its usage.

Why a failure midway is an event: the status has been sent, but a client that reads events can still read the error. Why the
connection is broken off as well: LiveKit's plugin ignores events that it does not know, and would take the audio before them
for the whole.
"""

import base64
import math
from collections.abc import AsyncGenerator, Sequence
from typing import Final

import msgspec

from app.api.responses.errors import envelope, fault_of
from app.core.errors import Cancelled
from app.core.queue.registry import Report
from app.core.speech.word_times import TimedWord, with_characters, write_words
from app.delivery.listener import Listener

FRAME_SECONDS: Final = 0.025
"""One output token stands for this much audio."""

_WHOLE_BYTES: Final = 6
"""The size of each delta but the last is a multiple of this: of 2, so that no sample of pcm is divided, and of 3, so that the
base64 of all deltas, joined, is the base64 of the file.
"""

_MAX_DELTA_BYTES: Final = 2048 * _WHOLE_BYTES
"""The longest delta: some clients read no line above 64 KiB."""


async def speech_events(listener: Listener, *, characters: bool = False) -> AsyncGenerator[bytes, None]:
    """`speech.audio.delta` events whose audio, joined, is the file, then one `speech.audio.done`; or one `error` in its place.

    A listener that wants words gets `speech.audio.words` events, each before the audio of its words; with `characters` the
    words have those. Every event is a JSON object. Raises the KoeError of a failure after its event, and Cancelled when the
    client disconnects. The caller closes the listener.
    """
    try:
        rest = b""
        async for chunk in listener:
            if words := listener.take_words():
                yield _words(words, characters=characters)
            rest += chunk
            n_whole = len(rest) - len(rest) % _WHOLE_BYTES
            for start in range(0, n_whole, _MAX_DELTA_BYTES):
                yield _delta(rest[start : min(start + _MAX_DELTA_BYTES, n_whole)])
            rest = rest[n_whole:]
        if rest:
            yield _delta(rest)
        if words := listener.take_words():
            yield _words(words, characters=characters)
        assert listener.report is not None
        yield _done(listener.report)
    except Cancelled:
        raise
    except Exception as error:  # last resort of the API: the status is sent, so the listener gets an event
        fault = fault_of(error)
        yield msgspec.json.encode({"type": "error", **envelope(fault)})
        raise fault from error


def usage(report: Report) -> dict[str, int]:
    """The usage of an utterance: phonemes given to the engine as input, frames of FRAME_SECONDS as output."""
    n_input = report.n_phonemes
    n_output = math.ceil(round(report.audio_seconds / FRAME_SECONDS, 6))
    return {"input_tokens": n_input, "output_tokens": n_output, "total_tokens": n_input + n_output}


def _delta(data: bytes) -> bytes:
    return b'{"type":"speech.audio.delta","audio":"%b"}' % base64.b64encode(data)


def _words(words: Sequence[TimedWord], *, characters: bool) -> bytes:
    words = [with_characters(word) for word in words] if characters else words
    return b'{"type":"speech.audio.words","words":%b}' % write_words(words)


def _done(report: Report) -> bytes:
    return msgspec.json.encode({"type": "speech.audio.done", "usage": usage(report)})
