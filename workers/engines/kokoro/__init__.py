"""Kokoro-82M: its files, its voice packs, its noise and its inference."""

import os

# Before PyTorch takes its first memory: in pages of 2 MiB, where Linux gives them, since the processor cannot look up as many
# small ones as a convolution works on at once. It saves a tenth of the time.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
