"""What a run measures: how long, how often and how much; kept beside the figures, since they mean nothing without it."""

from typing import Final

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one run. Lengths are in phonemes; a segment of real text is as near to one as its sentences allow."""

    onnx8: str | None = None
    """Path of Kokoro's 8-bit ONNX file, if it is to be measured."""

    lengths: tuple[int, ...] = (30, 60, 120, 250, 500)
    """Segments that each engine speaks alone."""
    is_with_all_cores: bool = True
    """Whether it does so with all cores, too, and not with one thread alone."""
    n_repeats: int = 3
    """Runs of each engine, in turns; the median counts."""
    together_lengths: tuple[int, ...] = (100, 120, 140, 160)
    """Segments that are spoken at the same time."""
    n_equal_segments: int = 40
    """Of 10 to 510 phonemes in nine languages, compared with the original's sample by sample."""
    memory_lengths: tuple[int, ...] = (60, 120, 250, 500)
    """What a process speaks before its memory is read; if nothing, it is not."""
    whole_phonemes: int = 200
    """The first chunk of other servers: 175 to 250."""
    client_levels: tuple[int, ...] = (1, 4, 16, 64)
    level_seconds: float = 60.0
    text_characters: tuple[int, int] = (100, 600)
    """Clients' texts have between so many."""
    n_policy_clients: int = 16
    n_policy_rounds: int = 4
    """None: schedulers are not compared."""
    n_overhead_requests: int = 200
    n_hit_clients: tuple[int, ...] = (1, 16)
    hit_seconds: float = 10.0
    n_load_clients: int = 32
    load_seconds: float = 60.0


FULL: Final = Plan()

QUICK: Final = Plan(
    lengths=(60,),
    is_with_all_cores=False,
    n_repeats=1,
    together_lengths=(50, 60),
    n_equal_segments=4,
    memory_lengths=(),
    client_levels=(4,),
    level_seconds=8.0,
    text_characters=(100, 200),
    n_policy_rounds=0,
    n_overhead_requests=50,
    hit_seconds=2.0,
    n_load_clients=8,
    load_seconds=10.0,
)
"""What can be had in about two minutes, once the model is there: to see whether something has changed, not by how much."""
