"""What Kokoro's files are called, and where the Hub has them. Apart, since those who only fetch them need no torch."""

from typing import Final

REPOSITORY: Final = "hexgrad/Kokoro-82M"
WEIGHTS: Final = "kokoro-v1_0.pth"
CONFIG: Final = "config.json"
