"""rq-dashboard sees Koe's queues, workers and jobs, and nothing that a user has written."""

import warnings

import flask

from app.core.queue.broker import Lane, lane_queue
from tests.end_to_end.conftest import ONE_AT_A_TIME, RelayHouse
from tests.end_to_end.listeners import asked, post
from tests.engines import FailingEngine
from tests.house import wait_until

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import rq_dashboard

HOUSE = ONE_AT_A_TIME
SECRET = "the plan of the treasure island"


def test_the_dashboard_shows_the_work_and_hides_the_words(relay_house: RelayHouse) -> None:
    house = relay_house.house
    dashboard = flask.Flask("dashboard")
    dashboard.config.from_object(rq_dashboard.default_settings)
    dashboard.config["RQ_DASHBOARD_REDIS_URL"] = house.redis_url
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rq_dashboard.web.setup_rq_connection(dashboard)
        dashboard.register_blueprint(rq_dashboard.blueprint)
    post(house, asked(f"This is {SECRET}."))
    relay_house.relay.now = FailingEngine(0)
    post(house, asked(f"This, too, is {SECRET}."))
    with house.redis() as redis:
        lane = lane_queue(redis, Lane.INTERACTIVE)
        wait_until(lambda: (lane.finished_job_registry.count, lane.failed_job_registry.count) == (1, 1))
    client = dashboard.test_client()

    queues = client.get("/0/data/queues.json").get_json()["queues"]
    workers = client.get("/0/data/workers.json").get_json()["workers"]
    jobs = {
        state: client.get(f"/0/data/jobs/{lane.name}/{state}/8/asc/1.json").get_json()["jobs"]
        for state in ("finished", "failed")
    }
    pages = [client.get(f"/0/data/job/{job['id']}.json").get_data(as_text=True) for state in jobs for job in jobs[state]]

    assert lane.name in {queue["name"] for queue in queues}
    assert len(workers) == 2
    assert [len(jobs[state]) for state in jobs] == [1, 1]
    assert all("characters, af_heart, en-US, pcm, tone" in page for page in pages)
    assert not any("treasure" in page for page in pages)
