"""Real processes of `koe serve`: on every address, with few open files allowed, and with request ids in the log."""

import os
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.processes import ROOT, SERVE, Served, events, running, serving


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_on_every_address_both_families_are_answered_and_koes_own_commands_too(data: Path) -> None:
    with serving(data, KOE_HOST="::") as served:
        served.wait_said("Koe ")
        served.wait_said("speaks at")
        for host in ("127.0.0.1", "[::1]"):
            assert httpx.get(f"http://{host}:{served.port}/healthz", headers={"host": "any.example"}).status_code == 200
        environ = os.environ | {"KOE_HOST": "::", "KOE_PORT": str(served.port), "KOE_DATA": str(data)}
        done = subprocess.run([*SERVE[:-1], "voices"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "af_heart" in done.stdout


def test_api_and_worker_may_open_as_many_files_as_they_are_let(data: Path) -> None:
    served = Served(data, "prlimit", "--nofile=300:3000")
    with running(served):
        served.wait_ready()
        for words in ("app.cli api", "-m workers"):
            limits = Path(f"/proc/{served.child(words)}/limits").read_text()
            assert next(line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")) == "3000"


def test_the_id_of_an_answer_is_in_the_log_of_a_real_server_as_json(data: Path) -> None:
    with serving(data) as served:
        body = {"model": "tts-1", "input": "Hello.", "voice": "alloy", "response_format": "pcm"}
        answer = httpx.post(f"{served.url}/v1/audio/speech", json=body)
        with socket.create_connection(("127.0.0.1", served.port)) as connection:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01")
            refused = connection.recv(65_536).decode()
        served.wait_said("request_answered", 2)

    logged = {line["request_id"]: line for line in events(served, "request_answered")}
    assert logged[answer.headers["x-request-id"]]["status"] == 200
    assert next(one for name, one in logged.items() if name in refused)["code"] == "bad_http"
    assert "Traceback" not in served.said
