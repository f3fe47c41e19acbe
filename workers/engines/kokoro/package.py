"""Imports the model of the `kokoro` package, which then takes its ALBERT from here and not from transformers.

Why while it is imported: the package has no other place for another ALBERT.
"""

# Before the package imports phonemizer: a part of phonemizer is left out there.
import workers.text.g2p.misaki_espeak  # noqa: F401
from workers.engines.kokoro.albert import AlbertConfig, AlbertModel
from workers.text.stand_ins import stand_in

__all__ = ["KModel"]

with stand_in("transformers", AlbertConfig=AlbertConfig, AlbertModel=AlbertModel):
    from kokoro.model import KModel
