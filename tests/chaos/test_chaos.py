"""The short form of `make chaos`: each kind of fault once, with a few listeners."""

from pathlib import Path
from time import sleep

from tests.chaos.__main__ import run_chaos
from tests.chaos.faults import FaultInjector
from tests.chaos.listeners import Script


def each_kind_once(injector: FaultInjector) -> None:
    for kind in injector.kinds:
        injector.do(kind)


def test_every_answer_is_complete_though_any_process_is_killed(data: Path) -> None:
    account = run_chaos(
        data, seed=7, n_listeners=2, script=Script(("mp3", "opus", "wav"), lengths=(1, 30)), harm=each_kind_once
    )

    assert not account.tally.failures, account.show()
    assert account.tally.n_compared > 0
    assert all(n == 1 for n in account.faults.values())
    assert account.n_spoken_twice <= sum(account.faults.values())


def kill_espeak_again_and_again(injector: FaultInjector) -> None:
    while injector.done["espeak_killed"] < 20:
        sleep(0.2)
        injector.do("espeak_killed")


def test_no_request_fails_when_espeaks_processes_are_killed(data: Path) -> None:
    """`python -m tests.chaos --kind espeak_killed --pause 0.1 0.4 --seconds 60` does it more than a hundred times."""
    script = Script(("mp3", "wav"), lengths=(1, 30))
    account = run_chaos(data, seed=16, n_listeners=6, script=script, harm=kill_espeak_again_and_again)

    assert not account.tally.failures, account.show()
    assert account.tally.n_asked_again == 0
    assert account.n_workers == 2
    assert account.n_espeak_retries > 0
    assert account.faults == {"espeak_killed": 20}
