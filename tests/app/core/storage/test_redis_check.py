"""The servers that Koe refuses, and those that it warns about, with a real server of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from redis import Redis

from app.core.errors import Misconfigured
from app.core.storage.connections import connect
from app.core.storage.redis_check import check_redis, check_redis_url
from tests.harness import free_port, wait_until
from tests.valkeys import Server, serving


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as server:
        yield server


def test_a_plain_one_is_fine_and_nothing_is_left_in_it(plain: Server) -> None:
    with structlog.testing.capture_logs() as logs:
        check_redis_url(plain.url)
    assert logs == []
    assert plain.redis().keys() == []


def test_one_that_is_away_is_no_fault() -> None:
    with structlog.testing.capture_logs() as logs:
        check_redis_url(f"redis://127.0.0.1:{free_port()}")
    assert [entry["event"] for entry in logs] == ["redis_away"]


def test_cluster_mode_is_reported(tmp_path: Path) -> None:
    with serving(tmp_path, "--cluster-enabled", "yes") as server:
        with pytest.raises(Misconfigured, match="cluster mode"):
            check_redis_url(server.url)
        server.redis().execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: server.redis().execute_command("CLUSTER", "INFO").startswith(b"cluster_state:ok"))
        with pytest.raises(Misconfigured, match="cluster mode"):
            check_redis_url(server.url)


def test_cluster_mode_is_found_out_where_the_server_does_not_say_so(tmp_path: Path) -> None:
    with serving(tmp_path, "--cluster-enabled", "yes", "--rename-command", "INFO", "") as server:
        server.redis().execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        with pytest.raises(Misconfigured, match="cluster mode"):
            wait_until(lambda: check_redis_url(server.url), 5)


def test_a_replica_is_reported(plain: Server, tmp_path: Path) -> None:
    with serving(tmp_path, "--replicaof", f"127.0.0.1 {plain.port}") as replica:
        wait_until(lambda: replica.redis().info("replication")["master_link_status"] == "up")
        with pytest.raises(Misconfigured, match="names a replica"):
            check_redis_url(replica.url)


@pytest.mark.parametrize(("policy", "warns"), [("allkeys-lru", True), ("volatile-lru", False), ("noeviction", False)])
def test_eviction_of_keys_without_a_ttl_is_warned_of(policy: str, warns: bool, tmp_path: Path) -> None:
    with (
        serving(tmp_path, "--maxmemory", "50mb", "--maxmemory-policy", policy) as server,
        structlog.testing.capture_logs() as logs,
    ):
        check_redis_url(server.url)
    assert [(entry["event"], entry["policy"]) for entry in logs] == ([("redis_may_evict", policy)] if warns else [])


def test_a_wrong_password_is_reported_and_not_shown(tmp_path: Path) -> None:
    with serving(tmp_path, "--requirepass", "right") as server:
        for login in ("", ":hunter2@", "nobody:hunter2@"):
            with pytest.raises(Misconfigured, match="the user or the password") as caught:
                check_redis_url(server.url.replace("//", f"//{login}"))
            assert "hunter2" not in str(caught.value)
        check_redis_url(server.url.replace("//", "//:right@"))


@pytest.mark.parametrize(
    "refused",
    ["-eval", "-hset", "-xadd", "-publish", "-subscribe", "-multi", "resetkeys ~koe:*", "resetkeys ~rq:*", "resetchannels"],
)
def test_the_error_for_a_user_without_all_permissions_names_them(refused: str, plain: Server) -> None:
    plain.redis().execute_command("ACL", "SETUSER", "koe", "on", ">pw", "~*", "&*", "+@all", *refused.split())
    with pytest.raises(Misconfigured, match="rq:"):
        check_redis_url(plain.url.replace("//", "//koe:pw@"))


def test_a_managed_server_that_does_not_describe_itself_is_fine(plain: Server) -> None:
    allowed = ["on", ">pw", "~koe:*", "~rq:*", "&koe:*", "&rq:*", "+@all", "-info", "-config", "-acl", "-client"]
    plain.redis().execute_command("ACL", "SETUSER", "koe", *allowed)
    check_redis_url(plain.url.replace("//", "//koe:pw@"))


def test_one_that_is_full_is_warned_of_and_waited_for(plain: Server) -> None:
    fill(plain.redis())
    with connect(plain.url) as redis, structlog.testing.capture_logs() as logs:
        check_redis(redis)
    assert [entry["event"] for entry in logs] == ["redis_full"]


def fill(redis: Redis) -> None:
    """From now on it refuses writes."""
    redis.config_set("maxmemory-policy", "noeviction")
    redis.config_set("maxmemory", 1)
