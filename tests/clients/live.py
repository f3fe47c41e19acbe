"""What the clients of the WebSockets read, and how their audio is judged: sample by sample.

Why the parts are searched for: which sentences are spoken together depends on when the pieces of a text arrive. Whatever they
are, each must have the samples of `POST` for its text, and the guide's pause must follow it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.speech.boundaries import ending_of, find_boundaries
from app.core.speech.pauses import PAUSE_SECONDS
from tests.clients.conftest import WilfulEngine
from tests.clients.driving import plainly, run

SENTENCES = ("Hello there, my friend. ", "It costs $3.50 at Dr. Who's shop today. ", "How are you doing in there?")
TEXT = "".join(SENTENCES)
HEARD = "This much is heard at once."
"""The beginning of the text that is broken off."""

_SAMPLE_BYTES, _RATE_HZ = 2, 24_000

Command = list[str | Path]


@dataclass
class Heard:
    """What a driver heard: its report, and the samples (s16le, 24 kHz) of each text that it had read."""

    name: str
    next: str
    """The text of the turn after the one that is broken off."""
    report: dict[str, Any]
    folder: Path

    def audio(self, name: str) -> bytes:
        """Returns the samples of one text."""
        return (self.folder / name).read_bytes()


def drive(name: str, command: Command, harnesses: Mapping[str, str], folder: Path, **environ: str) -> Heard:
    """Runs a driver with the harnesses, its folder and the texts as arguments. `name` is in the texts at which the engine is
    wilful, so that no other client's audio is taken for them.
    """
    broken_off = f"{HEARD} But here the voice hangs until {name} wants no more of it. And this is never heard."
    following = f"All is well, and nothing of it is lost. So the next turn of {name} is heard as a whole."
    texts = {"text": TEXT, "sentences": SENTENCES, "broken_off": broken_off, "next": following}
    report = run([*command, json.dumps(harnesses), folder, json.dumps(texts)], **environ)
    return Heard(name, following, report, folder)


@dataclass
class Reader:
    """Speaks over `POST` what a client should have heard."""

    harnesses: Mapping[str, str]
    fields: dict[str, Any]
    """The fields of a request without its text."""

    def speech(self, text: str) -> bytes:
        """Returns the samples of a text."""
        return plainly(self.harnesses, input=text, response_format="pcm", **self.fields)

    def parts(self, audio: bytes, text: str) -> list[str]:
        """Returns the parts of the text that the audio consists of; none if it is not the speech of the whole text."""
        ends = sorted({*(end for end, _ in find_boundaries(text, 0, "en")), len(text)})
        return self._parts(audio, text, ends)

    def _parts(self, audio: bytes, text: str, ends: list[int], start: int = 0) -> list[str]:
        for end in (end for end in reversed(ends) if end > start):
            part = text[start:end]
            spoken = self.speech(part)
            if end == len(text) and audio == spoken:
                return [part]
            begun = spoken + pause_after(part)
            if end < len(text) and audio.startswith(begun) and (rest := self._parts(audio[len(begun) :], text, ends, end)):
                return [part, *rest]
        return []

    def is_broken_off(self, audio: bytes) -> bool:
        """Whether the audio is a part of the beginning of the text that is broken off."""
        return bool(audio) and (self.speech(HEARD) + pause_after(HEARD)).startswith(audio)


def gave_up(engine: WilfulEngine, heard: Heard) -> bool:
    """Whether the engine was told that this client wanted no more of its text. Its next turn was not spoken before."""
    return not any(heard.name in text for text in engine.hung)


def pause_after(part: str) -> bytes:
    """Returns the silence between a part and the next one."""
    return bytes(_SAMPLE_BYTES) * round(PAUSE_SECONDS[ending_of(part)] * _RATE_HZ)


def without_pause(audio: bytes) -> bytes:
    """Returns a later turn of one connection without the pause before it, which is there while the turn before is heard."""
    return audio.removeprefix(pause_after("."))
