"""Text spelled for an engine that is given no phonemes, where what it reads by itself is not all that there is.

Why an import stands inside a function here: pyopenjtalk's dictionary takes a second and much memory to load, and is an extra
that may not be installed.
"""

from importlib.util import find_spec

from workers.text.espeak.sanitize import tame
from workers.text.tracked_text import TrackedText


def spell_out(tracked: TrackedText, language: str) -> TrackedText:
    """`tracked` as it can be read by itself; most text is left as it is, and all where the package of its language (BCP 47 tag)
    is missing.
    """
    if language.partition("-")[0].lower() == "ja" and find_spec("pyopenjtalk") is not None:
        from workers.text.g2p import kana

        tracked = kana.spell(tracked)
    return tame(tracked)
