"""What a connection and a request may cost at most, before anybody is asked who they are: the one table of such limits.

Why most are constants: no honest client comes near them, and one that is set too high by mistake would take the server down.
"""

from typing import Final

import msgspec

HEAD_BYTES: Final = 65_536
"""Of a request's head: its first line and its headers; the same for the trailers of a body in chunks. More is 431."""
HEADERS: Final = 128
"""Of a request, and of its trailers. More is 431."""
HEAD_SECONDS: Final = 15.0
"""From the first byte of a head to its end, else 408; a new connection that says nothing is closed after as long."""
BODY_BYTES: Final = 1024**2
"""Of a request's body. More is 413."""
JOB_BODY_BYTES: Final = 8 * 1024**2
"""The same for a request that makes a job."""
BODY_SECONDS: Final = 60.0
"""From the end of a head to the end of its body, else 408."""
REQUESTS_AHEAD: Final = 32
"""That a client may send on one connection before the first of them is answered. More is 429."""
LINGER_SECONDS: Final = 2.0
"""That a refused client is heard after its answer, so that it reads it; what it sends is thrown away."""
FULL_SECONDS: Final = 2.0
"""That a client has for its head when there are too many connections; its answer is 503."""
SPARE_FILES: Final = 0.25
"""Of the files that the process may open, those that are kept for other things than connections."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Those that the operator sets."""

    keep_alive_seconds: float = 75.0
    """That a connection without a request is kept."""
    n_connections: int = 4096
    """At a time. For one more an idle one is closed; where none is idle it gets 503."""
