"""Memory that a worker frees returns to the system."""

import ctypes
import subprocess
import sys

import pytest

_PROGRAM = """
import ctypes
from pathlib import Path
from workers.engines.memory import share_memory

def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
if {shares}:
    share_memory()
before = resident_mib()
for _ in range(2):
    blocks = [libc.malloc(3 << 20) for _ in range(40)]
    for block in blocks:
        ctypes.memset(block, 1, 3 << 20)
    small = libc.malloc(100_000)  # It lies after the large blocks, if they are in the arena.
    for block in blocks:
        libc.free(block)
print(resident_mib() - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="this is not GNU's C library")
@pytest.mark.parametrize(("shares", "is_kept"), [(True, False), (False, True)])
def test_large_blocks_return_to_the_system_when_they_are_freed(shares: bool, is_kept: bool) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(shares=shares)], capture_output=True, text=True, check=True, timeout=60
    )
    assert (int(run.stdout) > 60) == is_kept
