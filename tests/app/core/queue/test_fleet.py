"""The fleet at one moment: its engines are those that every worker has, and its capacity is the number of listeners that it
serves in time.
"""

import pytest

from app.core.queue.fleet import Capacity, Fleet, Registration


def a_registration(*engines: str, missing: str | None = None) -> Registration:
    return Registration(name="-".join(engines) or "none", engines=engines, missing=missing)


def test_with_no_worker_nothing_can_be_spoken() -> None:
    assert Fleet().engines == frozenset()
    assert Fleet().best is None
    assert Fleet().missing is None


def test_the_best_engine_is_one_that_every_worker_has() -> None:
    both, espeak = a_registration("kokoro", "espeak"), a_registration("espeak")
    assert Fleet((both,)).best == "kokoro"
    assert Fleet((both, espeak)).engines == frozenset({"espeak"})
    assert Fleet((both, espeak)).best == "espeak"


def test_workers_with_nothing_in_common_have_no_best_engine() -> None:
    assert Fleet((a_registration("kokoro"), a_registration("espeak"))).best is None


def test_the_worker_that_lacks_an_engine_says_why() -> None:
    fleet = Fleet((a_registration("kokoro"), a_registration("espeak", missing="The files are not there: run `koe fetch`.")))
    assert fleet.missing == "The files are not there: run `koe fetch`."


def weighted(**weights: str | None) -> Fleet:
    """Workers with these weights of Kokoro; None is a worker without Kokoro."""
    registrations = [
        Registration(
            name=name,
            engines=("kokoro", "espeak") if each else ("espeak",),
            weights=each,  # type: ignore[arg-type]
            identities={"espeak": "e", "kokoro": f"k {each}"} if each else {"espeak": "e"},
        )
        for name, each in weights.items()
    ]
    return Fleet(tuple(registrations))


@pytest.mark.parametrize("weights", ["original", "8-bit"])
def test_the_weights_are_those_of_every_worker(weights: str) -> None:
    fleet = weighted(one=weights, two=weights)

    assert fleet.weights_of("kokoro") == weights
    assert fleet.identities_of("kokoro") == (f"k {weights}",)
    assert fleet.weights_of("espeak") is None
    assert fleet.notice is None


def test_workers_with_different_weights_are_reported() -> None:
    fleet = weighted(one="original", two="8-bit")

    assert fleet.weights_of("kokoro") == "mixed"
    assert fleet.identities_of("kokoro") == ("k 8-bit", "k original")
    assert fleet.identities_of("espeak") == ("e",)
    assert fleet.notice is not None
    assert "koe fetch --from hub" in fleet.notice


def test_where_one_worker_lacks_kokoro_its_weights_do_not_speak() -> None:
    fleet = weighted(one="original", two=None)

    assert fleet.best == "espeak"
    assert fleet.weights_of(fleet.best) is None
    assert fleet.weights_of("kokoro") is None


def paced(*seconds: float, n_threads: int = 1) -> Fleet:
    registrations = (
        Registration(name=str(number), engines=("tone",), n_threads=n_threads, first_sound_seconds=each)
        for number, each in enumerate(seconds)
    )
    return Fleet(tuple(registrations))


def test_capacity_counts_the_requests_that_are_heard_in_time() -> None:
    assert paced(2.0).capacity(30) == Capacity(15, 2.0)
    assert paced(2.0, 2.0).capacity(30) == Capacity(30, 1.0)


def test_a_worker_without_a_measure_is_like_the_others() -> None:
    assert paced(2.0, 0.0).capacity(30) == Capacity(30, 1.0)


def test_without_any_measure_the_capacity_is_unknown() -> None:
    assert paced(0.0).capacity(30) is None
    assert Fleet().capacity(30) is None


def test_those_who_are_too_late_even_for_a_faster_fleet_are_not_in_time() -> None:
    assert paced(2.0).n_in_time(30) == 22
    assert paced(2.0, 2.0).n_in_time(2) == 3


def test_those_who_are_spoken_to_now_may_be_in_time_until_the_end() -> None:
    assert paced(2.0, n_threads=4).n_in_time(-1) == 4


def test_without_any_measure_nobody_is_too_late() -> None:
    assert paced(0.0).n_in_time(30) is None


def test_capacity_is_at_least_the_number_of_simultaneous_listeners() -> None:
    capacity = paced(100.0, n_threads=2).capacity(30)

    assert capacity is not None
    assert capacity.n_most == 2
