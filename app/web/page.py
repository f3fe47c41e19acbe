"""The page that a person opens, to hear whether the server speaks and how it sounds.

Why one file without a build or a foreign host: it works on a machine that reaches nothing else, and what a person reads in the
browser is what lies here. Its policy lets run what is in the file, known by its digest, and nothing that gets into it later.
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
    """The page, and the headers that go with it."""

    html: str
    headers: dict[str, str]


def load_page() -> Page:
    """Reads it from the package."""
    html = (files("app.web") / "index.html").read_text(encoding="utf-8")
    headers = {
        "content-security-policy": _policy(html),
        "referrer-policy": "no-referrer",
        "cache-control": f"max-age={_MAX_AGE_SECONDS}",
    }
    return Page(html, headers)


def _policy(html: str) -> str:
    """This page may run and load what it holds itself, ask this server, play what it was sent, and be framed by nobody."""
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
