"""The log: one line for each event, with its fields; messages of libraries take the same form. Each test runs
its own process.
"""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import logging, sys, structlog
from app.core.logs import configure_logs
configure_logs(sys.argv[1])
log = structlog.get_logger()
with structlog.contextvars.bound_contextvars(request_id="req_1"):
    log.info("utterance_finished", n_segments=2)
log.debug("unheard")
logging.getLogger("rq.worker").info("unheard")
logging.getLogger("uvicorn.error").info("unheard")
logging.getLogger("rq.worker").warning("heard")
def divide(text):
    return len(text) / 0
try:
    divide("".join(["what a ", "user said"]))
except ZeroDivisionError:
    log.exception("broken")
    logging.getLogger("rq.worker").exception("broken too")
"""


def logged(log_format: str) -> tuple[str, str]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, log_format], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_as_json_each_line_is_an_event_with_its_fields() -> None:
    out, err = logged("json")

    finished, heard, broken, broken_too = (json.loads(line) for line in err.splitlines())
    assert out == ""
    assert finished.pop("timestamp").endswith("Z")
    assert finished == {"event": "utterance_finished", "level": "info", "n_segments": 2, "request_id": "req_1"}
    assert (heard["event"], heard["level"]) == ("heard", "warning")
    assert "ZeroDivisionError" in broken["exception"]
    assert "ZeroDivisionError" in broken_too["exception"]


def test_where_there_is_no_terminal_it_is_json_by_itself() -> None:
    _, err = logged("auto")
    assert all(json.loads(line) for line in err.splitlines())


def test_as_text_it_is_for_people() -> None:
    _, err = logged("text")

    assert "utterance_finished" in err
    assert "n_segments=2" in err
    assert "ZeroDivisionError" in err
    assert "unheard" not in err
    assert "\x1b[" not in err


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_an_error_is_logged_without_the_values_of_its_variables(log_format: str) -> None:
    assert "what a user said" not in logged(log_format)[1]
