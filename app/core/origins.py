"""Origins of web pages: those in `KOE_CORS_ORIGINS`, in the form that browsers send.

Why an origin that can never match is refused: browsers send an origin without a path, without the scheme's default port, in
lower case. An origin in another form would allow nobody, and nothing would say why.
"""

import re
from typing import Final

ANY: Final = "*"
"""Stands for every origin."""

_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([1-9][0-9]{0,4}))?")
_OWN_PORTS: Final = {"http": "80", "https": "443"}


def check_origin(origin: str) -> None:
    """Raises ValueError, with a sentence that names the origin, unless a browser could send it or it is ANY."""
    if origin == ANY:
        return
    match = _ORIGIN.fullmatch(origin.lower())
    if match is None:
        raise ValueError(
            f"{origin!r} is not an origin: write scheme, host and, if it has one, port, without a path or a final slash, such "
            f"as https://app.example.com or http://localhost:3000; {ANY} alone is every origin."
        )
    scheme, _, port = match.groups()
    if port is not None and port == _OWN_PORTS.get(scheme):
        raise ValueError(f"{origin!r} never comes from a browser: leave out :{port}, the default port of {scheme}.")
