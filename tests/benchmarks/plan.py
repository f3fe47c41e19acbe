"""The settings of a run: lengths, repeats and amounts; stored with the figures, which mean nothing without them."""

from typing import Final

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one run. Lengths are in phonemes; segments of real text come as near to them as sentences allow."""

    onnx8: str | None = None
    """Path of Kokoro's 8-bit ONNX file, if it is to be measured."""

    lengths: tuple[int, ...] = (30, 60, 120, 250, 500)
    """Lengths of the segments that each engine speaks one at a time."""
    is_with_all_cores: bool = True
    """Whether the engines also speak them with all cores, and not only with one thread."""
    n_repeats: int = 3
    """Runs of each engine, in turns; the median counts."""
    together_lengths: tuple[int, ...] = (100, 120, 140, 160)
    """Lengths of the segments that are spoken at the same time."""
    n_equal_segments: int = 40
    """Number of segments that are compared with the original's sample by sample: 10 to 510 phonemes, nine languages."""
    memory_lengths: tuple[int, ...] = (60, 120, 250, 500)
    """Lengths of the segments that a process speaks before its memory is read; empty skips this."""
    whole_phonemes: int = 200
    """Length of the first chunk of other servers: 175 to 250."""
    client_levels: tuple[int, ...] = (1, 4, 16, 64)
    level_seconds: float = 60.0
    text_characters: tuple[int, int] = (100, 600)
    """Minimum and maximum length of the clients' texts."""
    newcomer_words: tuple[int, ...] = (1, 3, 10, 40, 100)
    newcomer_levels: tuple[int, ...] = (0, 4, 8, 16)
    """Numbers of listeners beside whom a newcomer asks; the first must be 0."""
    n_newcomers: int = 6
    """Requests of each length at each level."""
    n_live_turns: int = 12
    """Texts that a model writes while they are spoken, one after the other."""
    live_levels: tuple[int, ...] = (4, 32)
    """Numbers of live sessions that begin at the same time."""
    n_live_texts: int = 1000
    """Texts that are read over the Realtime API and by POST."""
    live_words: tuple[int, ...] = (1, 2, 3, 5, 8)
    """Numbers of words in these texts."""
    n_policy_clients: int = 16
    n_policy_rounds: int = 4
    """Rounds in which schedulers are compared; 0 skips this."""
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
    newcomer_words=(1, 10),
    newcomer_levels=(0, 4),
    n_newcomers=3,
    n_live_turns=3,
    live_levels=(4,),
    n_live_texts=20,
    level_seconds=8.0,
    text_characters=(100, 200),
    n_policy_rounds=0,
    n_overhead_requests=50,
    hit_seconds=2.0,
    n_load_clients=8,
    load_seconds=10.0,
)
"""Settings for a run of about two minutes, once the model exists. It shows whether something has changed, not by how much."""
