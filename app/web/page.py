"""The page that a person opens, and the files that it loads: `static/`, served as it is, without a build step.

Why the address of each file has a digest of all files: a browser may then keep a file for ever, and still never mixes the files
of two versions.

Why the policy is strict: users type keys on this page. It may run the scripts of this server, call this server and play its
answers; a text from outside never becomes markup, since the page may not even write HTML (`require-trusted-types-for`).
"""

import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import msgspec

FOLDER: Final = "web"
"""The path of the files, below that of the page."""

_PAGE: Final = "index.html"
_MEDIA_TYPES: Final = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
}
_KEEP: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"


class WebFile(msgspec.Struct, frozen=True):
    """A file of the page."""

    data: bytes
    media_type: str


class Site(msgspec.Struct, frozen=True):
    """The page, its files and their headers."""

    page: WebFile
    files: Mapping[str, WebFile]
    digest: str
    """Of all files, in hex digits."""

    @property
    def page_headers(self) -> dict[str, str]:
        """The headers of the page. A browser asks each time whether it has changed."""
        policy = "; ".join(f"{name} {value}" for name, value in _POLICY.items())
        return {
            "content-security-policy": policy,
            "referrer-policy": "no-referrer",
            "cache-control": _ASK_AGAIN,
            "etag": f'"{self.digest}"',
        }

    def file_headers(self, digest: str) -> dict[str, str]:
        """The headers of a file at an address with this digest, which may be that of another version."""
        return {"cache-control": _KEEP if digest == self.digest else _ASK_AGAIN}


def load_site() -> Site:
    """Reads page and files from the package."""
    found = dict(_read(files("app.web") / "static"))
    digest = hashlib.sha256(b"".join(name.encode() + found[name] for name in sorted(found))).hexdigest()[:16]
    page = found.pop(_PAGE).replace(f'"{FOLDER}/'.encode(), f'"{FOLDER}/{digest}/'.encode())
    return Site(
        page=WebFile(page, _media_type(_PAGE)),
        files={name: WebFile(data, _media_type(name)) for name, data in found.items()},
        digest=digest,
    )


def _read(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Each file in the folder and below it, with its path."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _read(entry, f"{prefix}{entry.name}/")
        elif _media_type(entry.name):
            yield prefix + entry.name, entry.read_bytes()


def _media_type(name: str) -> str:
    return _MEDIA_TYPES.get(name.rpartition(".")[2], "")
