"""The short form of `make chaos`: each kind of harm once, while a few listen."""

from pathlib import Path

from tests.chaos.__main__ import rage
from tests.chaos.faults import Monkey
from tests.chaos.listeners import Script


def each_kind_once(monkey: Monkey) -> None:
    for kind in monkey.kinds:
        monkey.do(kind)


def test_every_answer_is_whole_whatever_is_killed(data: Path) -> None:
    account = rage(data, seed=7, n_listeners=2, script=Script(("mp3", "opus", "wav"), lengths=(1, 30)), harm=each_kind_once)

    assert not account.tally.failures, account.show()
    assert account.tally.n_compared > 0
    assert all(n == 1 for n in account.faults.values())
    assert account.n_spoken_twice <= sum(account.faults.values())
