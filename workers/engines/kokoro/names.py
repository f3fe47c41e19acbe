"""What Kokoro's files are called, and where the Hub has them. Apart, since those who only fetch them need no torch."""

from typing import Final

REPOSITORY: Final = "hexgrad/Kokoro-82M"
WEIGHTS: Final = "kokoro-v1_0.pth"
WEIGHTS_8BIT: Final = "kokoro-v1_0.8-bit.pth"
"""The same in size and shape, made of the 8-bit file that the package registries have."""
PRECISIONS: Final = {WEIGHTS: "original", WEIGHTS_8BIT: "8-bit"}
"""Files of weights, best first, and what Koe calls their precision."""
CONFIG: Final = "config.json"
PARTS: Final = ("bert", "bert_encoder", "predictor", "text_encoder", "decoder")
"""The model's modules; a checkpoint has a dictionary of tensors for each."""
