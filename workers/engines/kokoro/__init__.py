"""Kokoro-82M: its files, its voice packs, its vocabulary and its inference.

Why the inference is Koe's own, in `model` and `kernels`: on a CPU it takes a fraction of the package's time, and one
segment gives the same samples whatever else is spoken. The weights, and the modules that decide pitch and duration, are the
package's.
"""

import os

# Before PyTorch takes its first memory: in pages of 2 MiB, where Linux gives them, since the processor cannot look up as many
# small ones as a convolution works on at once. It saves a tenth of the time.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
