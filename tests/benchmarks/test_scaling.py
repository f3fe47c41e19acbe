"""The simulated day: arrivals, the fleet, and what each policy does with the fleet."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tests.benchmarks.scaling.__main__ import main, row_of, smallest_fixed
from tests.benchmarks.scaling.arrivals import Demand, Request, arrivals, divide
from tests.benchmarks.scaling.fleet import LOOK_SECONDS, Fleet
from tests.benchmarks.scaling.measured import Measured
from tests.benchmarks.scaling.policies import Fixed, Policy, Seen, Utilisation, WaitingAudio

ONE_CORE = Measured(
    cpu_seconds_per_audio_second=0.5, first_segment_seconds=2.0, segment_seconds=4.0, n_cores=1, start_seconds=10.0
)
HOUR = Demand(n_requests=5_000, seconds=3600.0, peak_hour=0.5, burst_hour=0.5)


def seen(*, at: float = 0.0, n: int = 1, busy: float = 0.0, waiting: float = 0.0) -> Seen:
    return Seen(at=at, n_workers=n, busy_share=busy, waiting_audio_seconds=waiting)


def waits(fleet: Fleet) -> list[float]:
    return [round(speech.first_at - speech.request.at, 6) for speech in fleet.speeches if speech.first_at is not None]


def run(requests: Sequence[Request], policy: Policy, measured: Measured = ONE_CORE) -> Fleet:
    return Fleet(measured, policy).run(requests)


def test_a_day_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert arrivals(HOUR, ONE_CORE, 1) == arrivals(HOUR, ONE_CORE, 1)
    assert arrivals(HOUR, ONE_CORE, 1) != arrivals(HOUR, ONE_CORE, 2)


def test_requests_come_as_often_as_the_curve_says_and_more_often_in_the_burst() -> None:
    demand = Demand(n_requests=20_000, burst_hour=3.0, burst_factor=8.0)
    requests = arrivals(demand, ONE_CORE, 1)
    by_hour = [sum(hour * 3600 <= request.at < (hour + 1) * 3600 for request in requests) for hour in range(24)]

    assert sum(by_hour) - by_hour[3] == pytest.approx(20_000, rel=0.03)
    assert by_hour[15] == pytest.approx(20_000 / 24 * 1.9, rel=0.1)
    assert by_hour[3] > by_hour[2] < by_hour[9] < by_hour[14]
    assert [request.at for request in requests] == sorted(request.at for request in requests)


@pytest.mark.parametrize(("seconds", "segments"), [(1.5, (1.5,)), (2.0, (2.0,)), (6.0, (2.0, 4.0)), (8.0, (2.0, 3.0, 3.0))])
def test_a_text_is_a_short_segment_and_equal_ones(seconds: float, segments: tuple[float, ...]) -> None:
    assert divide(seconds, ONE_CORE) == segments


def test_one_request_takes_its_service_time_and_a_second_one_waits_for_a_segment() -> None:
    alone = run([Request(0.0, (2.0, 4.0))], Fixed(1))
    two = run([Request(0.0, (2.0, 4.0, 4.0)), Request(1.5, (2.0,))], Fixed(1))

    assert waits(alone) == [1.0]
    assert not alone.speeches[0].is_late
    # At 1.5 the second segment of the first is being spoken until 3; then the first segment of the second comes at once.
    assert waits(two) == [1.0, 2.5]


def test_a_listener_who_runs_out_of_audio_is_counted() -> None:
    slow = msgspec.structs.replace(ONE_CORE, cpu_seconds_per_audio_second=2.0)

    assert run([Request(0.0, (2.0, 4.0))], Fixed(1), slow).speeches[0].is_late


def test_two_workers_serve_two_listeners_at_a_time() -> None:
    requests = [Request(0.0, (2.0,))] * 12

    assert max(waits(run(requests, Fixed(1)))) > max(waits(run(requests, Fixed(4))))


def test_when_all_slots_are_busy_requests_wait_in_order() -> None:
    few = msgspec.structs.replace(ONE_CORE, n_slots=1)
    fleet = run([Request(0.0, (2.0, 4.0)), Request(0.1, (2.0,))], Fixed(1), few)

    assert waits(fleet) == [1.0, 3.9]


def test_more_listeners_than_can_be_served_in_time_are_refused_and_come_again() -> None:
    fleet = run([Request(0.0, (2.0,))] * 100, Fixed(1))

    assert fleet.n_refused == 70
    assert len(fleet.speeches) == 100
    assert sorted(waits(fleet))[29] == 30.0


def test_a_fleet_costs_from_the_start_of_a_worker_to_its_end() -> None:
    fleet = run([Request(0.0, (2.0,)), Request(100.0, (2.0,))], Fixed(3))

    assert fleet.worker_seconds == pytest.approx(3 * fleet.now)
    assert 101.0 <= fleet.now <= 101.0 + LOOK_SECONDS


def test_every_request_is_spoken_under_every_policy() -> None:
    requests = arrivals(HOUR, ONE_CORE, 3)
    for policy in (Fixed(4), Utilisation(0.6, n_least=1, n_most=20), WaitingAudio(20.0, n_least=0, n_most=20)):
        fleet = run(requests, policy)
        assert len(fleet.speeches) == len(requests)
        assert all(speech.n_done == len(speech.request.segments) for speech in fleet.speeches)
        busy_seconds = 0.5 * sum(request.audio_seconds for request in requests)
        assert fleet.worker_seconds * ONE_CORE.n_cores >= busy_seconds


def test_utilisation_grows_in_proportion_and_stays_within_the_tolerance() -> None:
    policy = Utilisation(0.5, n_least=1, n_most=10)

    assert policy.decide(seen(n=4, busy=0.9)) == 8
    assert Utilisation(0.5, n_least=1, n_most=10).decide(seen(n=4, busy=0.54)) == 4
    assert Utilisation(0.5, n_least=1, n_most=6).decide(seen(n=4, busy=0.9)) == 6


def test_growth_is_bounded_as_kubernetes_bounds_it() -> None:
    assert WaitingAudio(1.0, n_least=1, n_most=100).decide(seen(n=2, waiting=90.0)) == 6
    assert WaitingAudio(1.0, n_least=1, n_most=100).decide(seen(n=8, waiting=90.0)) == 16


def test_a_fleet_shrinks_only_to_what_was_wanted_in_the_last_five_minutes() -> None:
    policy = WaitingAudio(10.0, n_least=1, n_most=20)
    policy.decide(seen(at=0.0, n=8, waiting=80.0))

    assert policy.decide(seen(at=285.0, n=8, waiting=30.0)) == 8
    assert policy.decide(seen(at=300.0, n=8, waiting=20.0)) == 3
    assert policy.decide(seen(at=600.0, n=3, waiting=0.0)) == 1


def test_from_zero_a_waiting_request_starts_a_worker_and_a_quiet_time_ends_the_last() -> None:
    policy = WaitingAudio(10.0, n_least=0, n_most=20)

    assert policy.decide(seen(at=400.0, n=0)) == 0
    assert policy.decide(seen(at=415.0, n=0, waiting=5.0)) == 1
    assert policy.decide(seen(at=430.0, n=1)) == 1
    assert policy.decide(seen(at=715.0, n=1)) == 0


def test_from_zero_the_first_listener_waits_for_the_start_of_a_worker() -> None:
    requests = [Request(0.0, (2.0,)), Request(1200.0, (2.0,))]
    cold, warm = (run(requests, WaitingAudio(10.0, n_least=n_least, n_most=5)) for n_least in (0, 1))

    assert waits(warm) == [1.0, 1.0]
    assert waits(cold)[1] >= 1.0 + ONE_CORE.start_seconds
    assert cold.n_refused == 0
    assert cold.worker_seconds < warm.worker_seconds


def test_a_row_has_the_waits_and_the_cost_and_the_smallest_fleet_is_enough() -> None:
    requests = arrivals(HOUR, ONE_CORE, 1)
    n_workers = smallest_fixed(requests, ONE_CORE, most_over=0.05, n_most=20)
    enough, fewer = (row_of(run(requests, Fixed(n)), Fixed(n), ONE_CORE) for n in (n_workers, n_workers - 1))

    over = [row["over 2 s %"] for row in (enough, fewer)]
    assert isinstance(over[0], float)
    assert isinstance(over[1], float)
    assert over[0] <= 5 < over[1]
    assert enough["USD"] == pytest.approx(run(requests, Fixed(n_workers)).worker_seconds / 3600 * ONE_CORE.usd_per_core_hour)


def test_the_command_prints_a_table_and_writes_the_same_rows(tmp_path: Path) -> None:
    options = ["--requests", "500", "--threshold", "30", "--json", str(tmp_path / "scaling.json")]
    done = CliRunner().invoke(main, options)

    assert done.exit_code == 0, done.output
    rows = json.loads((tmp_path / "scaling.json").read_text("utf-8"))["rows"]
    names = [row["policy"] for row in rows]
    assert all(name in done.output for name in names)
    assert names[2:] == [
        "HPA, CPU 50%, from 1",
        "HPA, CPU 75%, from 1",
        "KEDA, 30 s of audio, from 1",
        "KEDA, 30 s of audio, from 0",
    ]
