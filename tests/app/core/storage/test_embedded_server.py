"""The embedded Valkey: it starts, answers, keeps its data, and leaves no process running."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import Misconfigured
from app.core.host.memory import memory_bytes
from app.core.storage.connections import connect
from app.core.storage.embedded_server import EmbeddedServer, embedded_url
from tests.harness import wait_until


@pytest.fixture
def server(data: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(data)
    server.start()
    yield server
    server.stop()


def test_it_answers_at_the_address_that_its_folder_gives(server: EmbeddedServer, data: Path) -> None:
    with connect(embedded_url(data)) as redis:
        assert redis.ping()

    assert server.is_running()
    assert server.answers()


def test_only_this_user_reaches_it(server: EmbeddedServer, data: Path) -> None:
    with connect(server.url) as redis:
        assert redis.config_get("port") == {"port": "0"}

    assert (data / "valkey.sock").stat().st_mode & 0o077 == 0


def test_when_memory_is_short_only_keys_with_a_ttl_are_evicted(server: EmbeddedServer) -> None:
    with connect(server.url) as redis:
        assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}


def test_its_data_outlives_a_restart(server: EmbeddedServer) -> None:
    with connect(server.url) as redis:
        redis.xadd("stream", {"data": bytes(range(256))})

    server.stop()
    assert not server.is_running()
    assert not server.answers()
    server.start()

    with connect(server.url) as redis:
        assert [fields for _, fields in redis.xrange("stream")] == [{b"data": bytes(range(256))}]


def test_data_older_than_a_second_outlives_a_kill(server: EmbeddedServer) -> None:
    with connect(server.url) as redis:
        redis.set("name", "koe")
        # Returns when the append-only file is on the disk.
        assert redis.execute_command("WAITAOF", 1, 0, 10_000)[0] == 1
        process = redis.info("server")["process_id"]
    os.kill(process, 9)
    assert server._process is not None
    server._process.wait()
    assert not server.is_running()

    server.start()

    with connect(server.url) as redis:
        assert redis.get("name") == b"koe"


def test_a_server_left_running_by_a_killed_process_is_ended_first(data: Path) -> None:
    start = (
        "import sys, pathlib, app.core.storage.embedded_server as e; s = e.EmbeddedServer(pathlib.Path(sys.argv[1])); s.start()"
    )
    script = f"{start}; print(s._process.pid, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        left_behind = int(first.stdout.readline())
        with connect(embedded_url(data)) as redis:
            redis.set("name", "koe")
        first.kill()
    server = EmbeddedServer(data)

    server.start()

    with connect(server.url) as redis:
        assert redis.info("server")["process_id"] != left_behind
        assert redis.get("name") == b"koe"
    server.stop()


def test_stopping_a_server_that_never_started_does_nothing(data: Path) -> None:
    server = EmbeddedServer(data)

    server.stop()

    assert not server.is_running()


def test_a_path_too_long_for_a_socket_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="set KOE_DATA to a shorter one, or KOE_REDIS_URL"):
        EmbeddedServer(tmp_path / ("deep" * 30))


def test_its_files_are_this_user_s_alone(server: EmbeddedServer, data: Path) -> None:
    with connect(server.url) as redis:
        redis.set("name", "koe")
        redis.execute_command("BGREWRITEAOF")
    server.stop()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.rglob("*")}
    assert {"valkey.log", "appendonlydir"} < set(modes)
    assert not {name: oct(mode) for name, mode in modes.items() if mode & 0o077}


def test_a_server_that_cannot_start_shows_this_run_s_log_alone(data: Path) -> None:
    (data / "valkey.log").write_text("1:M 01 Jan 2026 00:00:00.000 # words of another day\n")
    (data / "appendonlydir").mkdir()
    (data / "appendonlydir" / "appendonly.aof.manifest").write_text("broken\n")

    with pytest.raises(Misconfigured) as caught:
        EmbeddedServer(data).start()

    assert "manifest" in str(caught.value)
    assert "another day" not in str(caught.value)
    assert "overcommit" not in str(caught.value)


def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    (data / "appendonlydir").mkdir()
    (data / "appendonlydir" / "appendonly.aof.manifest").write_text("broken\n")

    with pytest.raises(Misconfigured, match=r"(?s)appendonlydir: repair them .*manifest"):
        EmbeddedServer(data).start()


def test_the_error_for_files_that_are_damaged_in_their_middle_names_the_remedy(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    with connect(server.url) as redis:
        redis.set("name", "koe")
        assert redis.execute_command("WAITAOF", 1, 0, 10_000)[0] == 1
    server.stop()
    (written,) = (data / "appendonlydir").glob("*.incr.aof")
    written.write_bytes(b"*3\r\n$3\r\nSXT\r\nno protocol" + written.read_bytes())

    with pytest.raises(Misconfigured, match="valkey-check-aof"):
        server.start()


def test_under_pressure_audio_goes_and_jobs_stay(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    with connect(server.url) as redis:
        most = redis.config_get("maxmemory")["maxmemory"]
        assert memory_bytes() // 4 <= int(most) <= memory_bytes() or int(most) == 512 * 1024**2
        redis.config_set("maxmemory", redis.info("memory")["used_memory"] + 8_000_000)
        redis.hset("koe:job:a", "status", "queued")
        redis.set("koe:job:a:text", "x" * 1_000_000)
        redis.rpush("rq:queue:batch-6", "a-plan")

        for number in range(200):
            redis.set(f"koe:segment:{number}", "x" * 100_000, ex=3600)

        assert int(redis.info("stats")["evicted_keys"]) > 0
        assert redis.strlen("koe:job:a:text") == 1_000_000
        assert redis.llen("rq:queue:batch-6") == 1
    server.stop()


def test_its_files_grow_no_larger_than_twice_what_it_holds(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    with connect(server.url) as redis:
        for number in range(300):
            redis.set(f"name-{number % 3}", os.urandom(1_000_000), ex=60)
        wait_until(lambda: not redis.info("persistence")["aof_rewrite_in_progress"])
        wait_until(lambda: sum(file.stat().st_size for file in data.rglob("*.aof")) < 100_000_000)
    server.stop()
