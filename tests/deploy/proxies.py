"""Runs nginx and Caddy with the files of `deploy/proxies`, on loopback, with a certificate made on the spot."""

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from tests.certificates import HOST, make_certificate
from tests.harness import free_port, wait_until
from tests.promises.guides import ROOT

FOLDER: Final = ROOT / "deploy/proxies"


def program(name: str) -> str:
    """Path of a program. Skips the test where it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return found or pytest.skip(f"{name} is not installed")


@contextmanager
def proxy(name: str, koe_url: str, folder: Path) -> Iterator[httpx.Client]:
    """Runs the proxy before the API at `koe_url`. Yields a client of it."""
    binary, port = program(name), free_port()
    certificate, key = make_certificate(folder)
    command = _COMMANDS[name](binary, urlsplit(koe_url).netloc, port, folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={"HOME": str(folder), "XDG_DATA_HOME": str(folder)})
    try:
        context = ssl.create_default_context(cafile=certificate)
        with httpx.Client(base_url=f"https://{HOST}:{port}", verify=context, timeout=60) as client:
            wait_until(lambda: process.poll() is not None or _answers(client))
            assert process.poll() is None, (folder / "log").read_text()
            assert key.exists()
            yield client
    finally:
        process.terminate()
        process.wait(30)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def _with_own_names(text: str, address: str, port: int, folder: Path) -> str:
    """The file with the names, files and addresses of this test. Every other line is as it is delivered."""
    for pattern, new in (
        (r"\b127\.0\.0\.1:8000\b", address),
        (r"listen 443\b", f"listen 127.0.0.1:{port}"),
        (r"/etc/ssl/tts\.example\.com", str(folder / "koe")),
        (r"^tts\.example\.com \{", f"https://{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {folder}/koe.crt {folder}/koe.key"),
        (r"tts\.example\.com", HOST),
    ):
        text = re.sub(pattern, new, text, flags=re.MULTILINE)
    return text


def _nginx(binary: str, address: str, port: int, folder: Path) -> list[str]:
    site = _with_own_names((FOLDER / "nginx.conf").read_text("utf-8"), address, port, folder)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;\n" if _is_root() else ""
    path = folder / "nginx.conf"
    path.write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{site}}}\n",
        "utf-8",
    )
    return [binary, "-c", str(path), "-p", str(folder), "-e", str(folder / "log")]


def _caddy(binary: str, address: str, port: int, folder: Path) -> list[str]:
    site = _with_own_names((FOLDER / "Caddyfile").read_text("utf-8"), address, port, folder)
    path = folder / "Caddyfile"
    path.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + site, "utf-8")
    return [binary, "run", "--adapter", "caddyfile", "--config", str(path)]


_COMMANDS: Final[dict[str, Callable[[str, str, int, Path], list[str]]]] = {"nginx": _nginx, "caddy": _caddy}
NAMES: Final = list(_COMMANDS)


def _is_root() -> bool:
    return os.geteuid() == 0
