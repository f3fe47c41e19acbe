"""The compose files: valid, their mounts exist, and every service is confined."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.settings import read_settings
from tests.promises.guides import ROOT

FOLDER = ROOT / "deploy" / "compose"
SERVICES: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]
SECRETS = ("VALKEY_PASSWORD", "DASHBOARD_PASSWORD", "GRAFANA_PASSWORD")


def compose_command() -> list[str]:
    """Docker's compose, whichever is here; skips the test without one."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if (
        shutil.which("docker")
        and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    ):
        return ["docker", "compose"]
    pytest.skip("no docker-compose is installed here")


def configure(folder: Path, *files: str, secrets: tuple[str, ...] = SECRETS) -> "subprocess.CompletedProcess[str]":
    """Reads the compose files of a copy of `deploy`, whose files of secrets are filled in."""
    copied = Path(shutil.copytree(ROOT / "deploy", folder / "deploy")) / "compose"
    (copied / "koe.env").write_text("KOE_API_KEYS=k\n")
    (copied / ".env").write_text("")
    options = [option for file in files for option in ("-f", file)]
    environ = os.environ | dict.fromkeys(secrets, "x")
    return subprocess.run(
        [*compose_command(), *options, "config"], cwd=copied, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("files", [(), ("compose.yaml", "compose.host.yaml")])
def test_compose_accepts_the_files(tmp_path: Path, files: tuple[str, ...]) -> None:
    done = configure(tmp_path, *files)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services.keys() == SERVICES.keys()
    # Ports belong to a bridge; on the network of the machine there are none to publish.
    assert any("ports" in service for service in services.values()) == (not files)


@pytest.mark.parametrize("missing", SECRETS)
def test_nothing_starts_without_a_secret(tmp_path: Path, missing: str) -> None:
    done = configure(tmp_path, secrets=tuple(name for name in SECRETS if name != missing))
    assert done.returncode != 0
    assert missing in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert all("noexec" in place for place in service.get("tmpfs", []))
    assert ":" in service["image"]
    assert not service["image"].endswith(":latest")
    assert "healthcheck" in service or service["image"].startswith("koe:"), "Koe's images have one of their own"


@pytest.mark.parametrize("name", SERVICES)
def test_every_file_that_is_mounted_exists(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.partition(":")[0]
        assert not source.startswith(".") or (FOLDER / source).exists(), source


def test_the_examples_name_every_secret_and_only_settings_that_exist() -> None:
    example = (FOLDER / "env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)=$", example, re.MULTILINE)) == set(SECRETS)
    names = re.findall(r"^(?:# )?(KOE_\w+)=", (FOLDER / "koe.env.example").read_text(encoding="utf-8"), re.MULTILINE)
    read_settings(dict.fromkeys(names, ""))
    assert "KOE_API_KEYS" in names


def test_valkey_writes_its_file_and_evicts_only_what_can_be_spoken_again() -> None:
    lines = (FOLDER / "valkey.conf").read_text(encoding="utf-8").splitlines()
    assert {"appendonly yes", "maxmemory-policy volatile-lru"} <= set(lines)
