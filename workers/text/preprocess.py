"""Prepares text for an engine that takes no phonemes and reads the text itself.

Why one import is inside a function: pyopenjtalk's dictionary takes a second and much memory to load, and is an extra that may
not be installed.
"""

from importlib.util import find_spec

from workers.text.espeak.sanitize import sanitize
from workers.text.tracked_text import TrackedText


def preprocess(tracked: TrackedText, language: str) -> TrackedText:
    """Returns `tracked` as espeak-ng can read it: Japanese in katakana if pyopenjtalk is installed, and every text sanitized.

    `language` is a BCP 47 tag. Most text stays as it is.
    """
    if language.partition("-")[0].lower() == "ja" and find_spec("pyopenjtalk") is not None:
        from workers.text.g2p.japanese import kana

        tracked = kana.to_katakana(tracked)
    return sanitize(tracked)
