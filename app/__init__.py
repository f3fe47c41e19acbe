"""Koe's HTTP side: an API compatible with OpenAI's speech endpoint.

The packages import in one direction: `cli`, then `supervisor` and `server`, `asgi`, `api`, `delivery` and `access`, `core`.
`asgi` builds the application: it is the one place where objects are created and passed to each other.

Why it imports no torch, no numpy and nothing of `workers`: a machine that runs only the API needs a small installation, and
a process that starts in a second can be replaced while requests wait. API and workers meet in Redis alone.
"""

__version__ = "0.1.0"
