"""Kokoro-82M: its files, its voice packs, its vocabulary and its inference.

Why the inference is Koe's own, in `model` and `kernels`: on a CPU it takes a fraction of the package's time, and a segment
gives the same samples regardless of the other segments. The weights, and the modules that compute pitch and duration, are the
package's.
"""

import os

# Must be set before PyTorch's first allocation. PyTorch then asks Linux for pages of 2 MiB. This saves a tenth of the time: a
# convolution works on more small pages than the processor's TLB holds.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
