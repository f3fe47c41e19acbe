"""Wyoming is served only where the settings ask for it, and then everything that it needs must be here."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from app.asgi import create_app
from app.core.errors import Misconfigured
from app.core.settings import read_settings

ROOT = Path(__file__).parents[4]
ON = {"KOE_WYOMING": "tcp://127.0.0.1:10200"}


def made(**environ: str) -> object:
    """What makes the sessions of an application with these settings."""
    return create_app(read_settings(environ), "redis://127.0.0.1:1").wyoming


def test_without_the_setting_nothing_is_served() -> None:
    assert made() is None
    assert made(**ON) is not None


def test_without_the_setting_nothing_of_the_packages_is_imported() -> None:
    script = (
        "import sys, app.cli.starting, app.asgi; from app.core.settings import Settings;"
        "app.asgi.create_app(Settings(), 'redis://127.0.0.1:1');"
        "print(sorted({'wyoming', 'zeroconf', 'app.api.live.wyoming.session'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_missing_package_ends_the_start_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "app.api.live.wyoming.session", None)

    with pytest.raises(Misconfigured, match=r"KOE_WYOMING needs the package wyoming.*\[wyoming\].*or remove the setting"):
        made(**ON)


def test_a_missing_package_for_the_announcement_does_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "zeroconf" else found(name))

    with pytest.raises(Misconfigured, match=r"KOE_WYOMING_ZEROCONF needs the package zeroconf.*\[wyoming\]"):
        made(**ON, KOE_WYOMING_ZEROCONF="koe")
    assert made(**ON) is not None


def test_the_key_of_all_clients_must_exist_and_is_never_shown() -> None:
    assert made(**ON, KOE_API_KEYS="sk-secret", KOE_WYOMING_KEY="KOE_API_KEYS 1") is not None
    with pytest.raises(
        Misconfigured, match=r"KOE_WYOMING_KEY must be the name of a key.* Names here: KOE_API_KEYS 1"
    ) as caught:
        made(**ON, KOE_API_KEYS="sk-secret", KOE_WYOMING_KEY="sk-secret")
    assert "sk-secret" not in str(caught.value)
