"""httpx without its own command line.

Why: importing httpx imports that command line too, with Rich's progress bars and Pygments, if they are installed. They are, and
this takes longer than everything else that a client of the server imports.
"""

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # Python's sign that a module cannot be imported

import httpx  # noqa: E402

__all__ = ["httpx"]
