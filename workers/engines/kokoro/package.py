"""Imports the model of the `kokoro` package, which then takes its ALBERT from here and not from transformers.

Why while it is imported: the package has no other place for another ALBERT. Afterwards everybody can import transformers.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

from workers.engines.kokoro.albert import AlbertConfig, AlbertModel

__all__ = ["KModel"]

_REPLACED: Final = "transformers"


@contextmanager
def _ours() -> Iterator[None]:
    """Within it, `import transformers` gets our two classes and nothing else."""
    before = sys.modules.get(_REPLACED)
    sys.modules[_REPLACED] = stand_in = ModuleType(_REPLACED)
    vars(stand_in).update(AlbertConfig=AlbertConfig, AlbertModel=AlbertModel)
    try:
        yield
    finally:
        del sys.modules[_REPLACED]
        if before is not None:
            sys.modules[_REPLACED] = before


with _ours():
    from kokoro.model import KModel
