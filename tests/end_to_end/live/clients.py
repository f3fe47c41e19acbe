"""A client of a WebSocket for tests: it sends JSON, and reads JSON with a time limit."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

_SECONDS = 30.0

Message = dict[str, Any]


class Client:
    """One connection."""

    def __init__(self, socket: Connection) -> None:
        self.socket = socket

    def send(self, **message: Any) -> None:
        """Sends a message."""
        self.socket.send(json.dumps(message))

    def receive(self) -> Message:
        """Returns the next message."""
        found: Message = json.loads(self.socket.recv(_SECONDS))
        return found

    def until(self, kind: str, n_times: int = 1) -> list[Message]:
        """Returns all messages up to the one with this type that comes for the `n_times`-th time."""
        messages: list[Message] = []
        while sum(message["type"] == kind for message in messages) < n_times:
            messages.append(self.receive())
        return messages


@contextmanager
def connected(url: str, path: str, **options: Any) -> Iterator[Client]:
    """Yields a client that is connected until the end of the block."""
    with connect(url.replace("http", "ws", 1) + path, max_size=None, **options) as socket:
        yield Client(socket)


def audio_of(messages: list[Message], field: str = "delta") -> bytes:
    """Returns the audio of all messages that have some."""
    return b"".join(base64.b64decode(message[field]) for message in messages if is_audio(message))


def is_audio(message: Message) -> bool:
    """Whether the message has audio in it."""
    return message["type"] in ("chunk", "response.output_audio.delta", "conversation.item.audio_output.delta")


def types_of(messages: list[Message]) -> list[str]:
    """Returns the types of the messages without those of audio."""
    return [message["type"] for message in messages if not is_audio(message)]
