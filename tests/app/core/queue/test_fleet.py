"""The fleet at one moment: its engines are those of every worker, and its room is for those who hear something in time."""

import pytest

from app.core.queue.fleet import Fleet, Room, WorkerCard


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


def weighted(**weights: str | None) -> Fleet:
    """Workers with Kokoro of these weights, and those without it where there are none."""
    cards = [
        WorkerCard(
            name=name,
            engines=("kokoro", "espeak") if each else ("espeak",),
            weights=each,  # type: ignore[arg-type]
            identities={"espeak": "e", "kokoro": f"k {each}"} if each else {"espeak": "e"},
        )
        for name, each in weights.items()
    ]
    return Fleet(tuple(cards))


@pytest.mark.parametrize("weights", ["original", "8-bit"])
def test_the_weights_are_those_of_every_worker(weights: str) -> None:
    fleet = weighted(one=weights, two=weights)

    assert fleet.weights_of("kokoro") == weights
    assert fleet.identities_of("kokoro") == (f"k {weights}",)
    assert fleet.weights_of("espeak") is None
    assert fleet.notice is None


def test_workers_with_different_weights_are_told() -> None:
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
    cards = (
        WorkerCard(name=str(number), engines=("tone",), n_threads=n_threads, first_sound_seconds=each)
        for number, each in enumerate(seconds)
    )
    return Fleet(tuple(cards))


def test_there_is_room_for_those_who_are_heard_in_time() -> None:
    assert paced(2.0).room(30) == Room(15, 2.0)
    assert paced(2.0, 2.0).room(30) == Room(30, 1.0)


def test_a_worker_without_a_measure_is_like_the_others() -> None:
    assert paced(2.0, 0.0).room(30) == Room(30, 1.0)


def test_without_any_measure_the_room_is_not_known() -> None:
    assert paced(0.0).room(30) is None
    assert Fleet().room(30) is None


def test_there_is_always_room_for_those_who_are_spoken_to_at_once() -> None:
    room = paced(100.0, n_threads=2).room(30)

    assert room is not None
    assert room.n_most == 2
