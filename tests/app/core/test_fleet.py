"""The fleet at one moment: the engines that it has are those that every worker has."""

from app.core.fleet import Fleet, WorkerCard


def a_card(*engines: str, missing: str | None = None) -> WorkerCard:
    return WorkerCard(name="-".join(engines) or "none", engines=engines, missing=missing)


def test_with_no_worker_nothing_can_be_spoken() -> None:
    assert Fleet().engines == frozenset()
    assert Fleet().best is None
    assert Fleet().missing is None


def test_the_best_engine_is_one_that_every_worker_has() -> None:
    both, espeak = a_card("kokoro", "espeak"), a_card("espeak")
    assert Fleet((both,)).best == "kokoro"
    assert Fleet((both, espeak)).engines == frozenset({"espeak"})
    assert Fleet((both, espeak)).best == "espeak"


def test_workers_with_nothing_in_common_have_no_best_engine() -> None:
    assert Fleet((a_card("kokoro"), a_card("espeak"))).best is None


def test_why_an_engine_is_missing_is_told_by_the_worker_that_lacks_it() -> None:
    fleet = Fleet((a_card("kokoro"), a_card("espeak", missing="The files are not there: run `koe fetch`.")))
    assert fleet.missing == "The files are not there: run `koe fetch`."
