"""Limits on one connection and one request, which apply before authentication: the one table of them.

Why most are constants: no honest client comes near them, and a limit that is set too high by mistake would take the server
down.
"""

from typing import Final

import msgspec

HEAD_BYTES: Final = 65_536
"""Limit of a request's head (its first line and its headers), and of the trailers of a chunked body. More is 431."""
HEADERS: Final = 128
"""Most headers of a request, and most trailers. More is 431."""
HEAD_SECONDS: Final = 15.0
"""Longest time from the first byte of a head to its end; then 408. A new silent connection is closed after this time."""
BODY_BYTES: Final = 1024**2
"""Most bytes of a request's body. More is 413."""
JOB_BODY_BYTES: Final = 8 * 1024**2
"""Most bytes of the body of a request that creates a job. More is 413."""
DOCUMENT_BODY_BYTES: Final = 50 * 1024**2
"""Most bytes of the body of a request that sends a document. More is 413."""
RECORDING_BYTES: Final = 10 * 1024**2
"""Most bytes of a recording, as at OpenAI's. More is 400."""
VOICE_BODY_BYTES: Final = RECORDING_BYTES + 64 * 1024
"""Most bytes of the body of a request that sends a recording or a voice pack: the file, and the other fields. More is 413."""
MESSAGE_BYTES: Final = 16 * 1024**2
"""Most bytes of a message on a WebSocket; a client of OpenAI's Realtime may send 15 MiB of audio at once. More closes the
connection.
"""
BODY_SECONDS: Final = 60.0
"""Longest time from the end of a head to the end of its body; then 408."""
REQUESTS_AHEAD: Final = 32
"""Most requests that a client may send on one connection before the first is answered. More is 429."""
LINGER_SECONDS: Final = 2.0
"""After a refusal the connection is read this long, so that the client can read the answer; the input is discarded."""
FULL_SECONDS: Final = 2.0
"""Time for a client's head when there are too many connections; the answer is 503."""
WYOMING_LINE_BYTES: Final = 65_536
"""Most bytes of the first line of an event of Wyoming. Its data and its payload may have BODY_BYTES each. More closes the
connection.
"""
WYOMING_EVENT_SECONDS: Final = 15.0
"""Longest time from the first byte of an event to its last; then the connection is closed."""
WYOMING_TEXT_SECONDS: Final = 300.0
"""Longest wait for the next piece of a text that streams in over Wyoming; then the connection is closed."""
WYOMING_SEND_SECONDS: Final = 300.0
"""A Wyoming client that takes none of its audio for this long is taken for lost."""
WYOMING_CONNECTIONS: Final = 256
"""Most connections of Wyoming clients at a time, and at most a quarter of those for HTTP. For one more an idle one is closed;
when none is idle the new one is refused.
"""
SPARE_FILES: Final = 0.25
"""Share of the open-files limit that is reserved for other things than connections."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that the operator sets."""

    keep_alive_seconds: float = 75.0
    """A connection without a request is closed after this time."""
    n_connections: int = 4096
    """Most connections at a time. For one more an idle one is closed; when none is idle the new one gets 503."""
