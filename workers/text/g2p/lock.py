"""One lock for G2P packages with global state that are not thread-safe: pyopenjtalk, and Misaki's use of it and of spaCy."""

import threading
from typing import Final

LOCK: Final = threading.RLock()
"""Every call to one of these packages holds it."""
