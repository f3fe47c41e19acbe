"""Names of Kokoro's files and of the parts of its weights. A separate module, since `koe fetch` needs these without torch."""

from typing import Final

from app.core.weights.files import CONFIG, PRECISIONS, REPOSITORY, WEIGHTS, WEIGHTS_8BIT

__all__ = ["CONFIG", "PARTS", "PRECISIONS", "REPOSITORY", "WEIGHTS", "WEIGHTS_8BIT"]

PARTS: Final = ("bert", "bert_encoder", "predictor", "text_encoder", "decoder")
"""The model's modules; a checkpoint has a dictionary of tensors for each."""
