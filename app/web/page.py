"""The page on which a person tries whether the server speaks, and how it sounds.

Why one file without a build step or another host: it works on a machine without internet access, and the browser shows exactly
this file. Its content security policy allows the script and style of the file, by their digests, and nothing else.
"""

import base64
import hashlib
import re
from importlib.resources import files
from typing import Final

import msgspec

_MAX_AGE_SECONDS: Final = 300
_INLINE: Final = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


class Page(msgspec.Struct, frozen=True):
    """The page and its headers."""

    html: str
    headers: dict[str, str]


def load_page() -> Page:
    """Reads the page from the package."""
    html = (files("app.web") / "index.html").read_text(encoding="utf-8")
    headers = {
        "content-security-policy": _policy(html),
        "referrer-policy": "no-referrer",
        "cache-control": f"max-age={_MAX_AGE_SECONDS}",
    }
    return Page(html, headers)


def _policy(html: str) -> str:
    """The content security policy: the page may run its own script, call this server and play its answers; no other page may
    frame it.
    """
    digests = {kind: _digest(text) for kind, text in _INLINE.findall(html)}
    rules = {
        "default-src": "'self'",
        "script-src": digests["script"],
        "style-src": digests["style"],
        "img-src": "data:",
        "media-src": "blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
