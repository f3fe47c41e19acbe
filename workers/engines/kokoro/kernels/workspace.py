"""Processes signals piece by piece, in memory that is reused.

Why pieces: a signal has tens of megabytes, and several operations read and write it one after the other. If they do so piece by
piece, the output of one operation is still in the processor's cache when the next one reads it. Why the pieces are not small
enough for the inner cache: each operation takes some microseconds to call.

Why memory is reused, also the memory of whole signals: the first write to each page of new memory is a page fault, which costs
more than the write. From twenty seconds of audio on, allocating the signals of each segment took a tenth of its time.

Why signals are (n_samples, n_channels), unlike the package's: every step, also with a dilation, then works on whole rows of
memory.

Why a signal may be kept in float16: the four signals of ten seconds take 0.1 GB in float32. Each piece is widened when it is
read, so everything is computed in float32. No number of a signal was above 100 in eight voices, and float16 reaches 65504.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import torch

from workers.engines.kokoro.kernels.moments import Moments
from workers.engines.kokoro.kernels.threads import stay
from workers.engines.memory import watch_reserve

_MOST_KEPT: Final = 112 << 20
"""Most bytes that a workspace keeps until its next use: the signals of ten seconds of audio in float32, of twenty in float16.
Longer segments are rare, and for them the page faults take a tenth of the time.
"""

_KEPT_SECONDS: Final = 10.0
"""A workspace that was not used for longer than this is freed: a worker without listeners then has 0.3 GB less. The page faults
of the next word take some milliseconds.
"""

PIECE_NUMBERS: Final = 1 << 18
"""Numbers in a piece, of all channels together: 1 MiB. Pieces of a quarter of this size take a fifth longer."""


def rows_of_piece(n_channels: int) -> int:
    """Returns the number of samples in a piece of `n_channels`."""
    return max(1, PIECE_NUMBERS // n_channels)


def pieces_of(signal: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Splits `signal` (n_samples, n_channels) into views."""
    return torch.split(signal, rows_of_piece(signal.shape[1]))


class Workspace:
    """Named blocks of memory. Only one thread at a time may use a name."""

    def __init__(self) -> None:
        self._buffers: dict[str, torch.Tensor] = {}
        self.give_way: Callable[[], None] = stay
        """Called between the pieces of a convolution. Another segment may be computed meanwhile, with another workspace."""
        self.used_at = 0.0
        """Time of its last use, by the clock of the pool."""

    def take(self, name: str, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Returns memory of `shape` with undefined contents. Calls with the same name share their memory, so they must have the
        same `dtype`.
        """
        n_numbers = math.prod(shape)
        if name not in self._buffers or len(self._buffers[name]) < n_numbers:
            # The old memory is freed first, so that the two never exist at the same time.
            self._buffers.pop(name, None)
            self._buffers[name] = torch.empty(n_numbers, dtype=dtype)
        return self._buffers[name][:n_numbers].view(shape)

    @property
    def n_bytes(self) -> int:
        """Size of all blocks together."""
        return sum(block.nbytes for block in self._buffers.values())

    def clear(self) -> None:
        """Frees all blocks."""
        self._buffers.clear()


class Output:
    """The destination of a convolution, written piece by piece. It may add another signal and measure moments."""

    def __init__(self, out: torch.Tensor, *, base: torch.Tensor | None = None, seen: Moments | None = None) -> None:
        """Writes to `out` (n_samples, n_channels), float32 or float16, adds `base`, which may be `out`, and measures the sum
        with `seen`.
        """
        self._out, self._base, self._seen = out, base, seen

    def begin(self, start: int, n_samples: int, workspace: Workspace) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Returns the memory for these samples, float32, and a view of `base`, both cut off at the end. Both may be the same
        memory.
        """
        until = start + n_samples
        place = self._out[start:until]
        if place.dtype != torch.float32:
            place = workspace.take("written", *place.shape)
        return place, None if self._base is None else self._base[start:until]

    def end(self, start: int, place: torch.Tensor) -> None:
        """Measures and keeps `place`, which begins at `start`. Must be called when it has been written."""
        if self._seen is not None:
            self._seen.see(place)
        if place.dtype != self._out.dtype:
            self._out[start : start + len(place)] = place

    def write(self, start: int, samples: torch.Tensor) -> None:
        """Writes `samples` (n_samples, n_channels), float32, from `start` on. Those after the end are dropped. It may overwrite
        them.
        """
        until = start + len(samples)
        place = self._out[start:until]
        samples = samples[: len(place)]
        if place.dtype != samples.dtype:
            place = samples
        if self._base is not None:
            torch.add(self._base[start:until], samples, out=place)
        elif place is not samples:
            place.copy_(samples)
        self.end(start, place)


class Workspaces:
    """A pool of workspaces, which grows to the number in use at a time. Those that are not needed any more are freed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._free: deque[Workspace] = deque()
        self._clock = clock
        watch_reserve(self)

    @contextmanager
    def lend(self, give_way: Callable[[], None] = stay) -> Iterator[Workspace]:
        """Yields a workspace that no other caller uses."""
        try:
            workspace = self._free.pop()
        except IndexError:
            workspace = Workspace()
        workspace.give_way = give_way
        try:
            yield workspace
        finally:
            if workspace.n_bytes > _MOST_KEPT:
                workspace.clear()
            workspace.used_at = self._clock()
            self._free.append(workspace)

    def free_unused(self) -> None:
        """Frees the workspaces that nobody has used for a while. Any thread may call it."""
        # The last one that was used is lent next, so those at the left are the oldest.
        with suppress(IndexError):
            while self._clock() - (oldest := self._free.popleft()).used_at > _KEPT_SECONDS:
                oldest.clear()
            self._free.appendleft(oldest)
