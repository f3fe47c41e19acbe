"""One lock around the packages of G2P, some of which are global and not thread-safe: pyopenjtalk, and what Misaki makes of it
and of spaCy.
"""

import threading
from typing import Final

LOCK: Final = threading.RLock()
"""Held around every call into one of them."""
