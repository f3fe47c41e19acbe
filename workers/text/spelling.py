"""Text spelled for an engine that is given no phonemes, where what it reads by itself is not all that there is.

Why the module of a language is imported when it is first asked for: its dictionary takes a second and much memory to load, and
is an extra that may not be installed.
"""

import importlib
from importlib.util import find_spec
from typing import Final

from workers.text.script import Script
from workers.text.taming import tame

_SPELLERS: Final = {"ja": ("workers.text.kana", "pyopenjtalk")}
"""Language → a module with a function `spell(script) -> Script`, and the package that it needs."""


def spell_out(script: Script, language: str) -> Script:
    """`script` as it can be read by itself; most text is left as it is, and all where the package of its language (BCP 47 tag)
    is missing.
    """
    module, package = _SPELLERS.get(language.partition("-")[0].lower(), ("", ""))
    if module and find_spec(package) is not None:
        script = importlib.import_module(module).spell(script)
    return tame(script)
