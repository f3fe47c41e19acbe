"""rq-dashboard shows Koe's queues, workers and jobs, but no text of a user."""

import warnings

import flask

from app.core.queue.broker import QueueName, rq_queue
from tests.end_to_end.conftest import ONE_AT_A_TIME, RelayHarness
from tests.end_to_end.listeners import asked, post
from tests.engines import FailingEngine
from tests.harness import wait_until

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import rq_dashboard

HARNESS = ONE_AT_A_TIME
SECRET = "the plan of the treasure island"


def test_the_dashboard_shows_the_work_and_hides_the_words(relay_harness: RelayHarness) -> None:
    harness = relay_harness.harness
    dashboard = flask.Flask("dashboard")
    dashboard.config.from_object(rq_dashboard.default_settings)
    dashboard.config["RQ_DASHBOARD_REDIS_URL"] = harness.redis_url
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rq_dashboard.web.setup_rq_connection(dashboard)
        dashboard.register_blueprint(rq_dashboard.blueprint)
    post(harness, asked(f"This is {SECRET}."))
    relay_harness.relay.now = FailingEngine(0)
    post(harness, asked(f"This, too, is {SECRET}."))
    with harness.redis() as redis:
        queue_name = rq_queue(redis, QueueName.INTERACTIVE)
        wait_until(lambda: (queue_name.finished_job_registry.count, queue_name.failed_job_registry.count) == (1, 1))
    client = dashboard.test_client()

    queues = client.get("/0/data/queues.json").get_json()["queues"]
    workers = client.get("/0/data/workers.json").get_json()["workers"]
    jobs = {
        state: client.get(f"/0/data/jobs/{queue_name.name}/{state}/8/asc/1.json").get_json()["jobs"]
        for state in ("finished", "failed")
    }
    pages = [client.get(f"/0/data/job/{job['id']}.json").get_data(as_text=True) for state in jobs for job in jobs[state]]

    assert queue_name.name in {queue["name"] for queue in queues}
    assert len(workers) == 2
    assert [len(jobs[state]) for state in jobs] == [1, 1]
    assert all("characters, af_heart, en-US, pcm, tone" in page for page in pages)
    assert not any("treasure" in page for page in pages)
