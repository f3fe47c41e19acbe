"""The file of keys: its contents; it is read again when it has changed and is readable."""

import hashlib
from pathlib import Path

import pytest

from app.access import keyring
from app.access.keyring import Key, Keyring, make_key
from app.core.errors import SettingsError
from app.core.rate_limits import RateLimit


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "_LOOK_SECONDS", 0.0)


def entry(name: str, key: str, *lines: str) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return "\n".join(["[[keys]]", f'name = "{name}"', f'sha256 = "{digest}"', *lines, ""])


def write(file: Path, text: str) -> None:
    """Replaces the file by a new one, as an editor does."""
    other = file.with_suffix(".new")
    other.write_text(text)
    other.replace(file)


def test_a_key_of_the_file_opens_with_its_own_limits(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(
        file,
        entry("kitchen", "sk-kitchen", 'rate_limit = "5/second"', "max_concurrent = 2")
        + entry("cellar", "sk-cellar", 'rate_limit = "none"')
        + entry("attic", "sk-attic"),
    )
    ring = Keyring(file=file, default=Key(rate_limit=RateLimit(60, 60), max_concurrent=7))

    limits = {}
    for name in ("kitchen", "cellar", "attic"):
        key = ring.find(f"sk-{name}".encode())
        assert key is not None
        limits[key.name] = (key.rate_limit, key.max_concurrent)

    assert limits == {"kitchen": (RateLimit(5, 1), 2), "cellar": (None, 7), "attic": (RateLimit(60, 60), 7)}
    assert ring.find(b"sk-other") is None


def test_keys_of_the_settings_and_of_the_file_open_side_by_side(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(file, entry("kitchen", "sk-kitchen"))
    ring = Keyring(("sk-own",), file)

    owners = {key.owner for key in (ring.find(b"sk-own"), ring.find(b"sk-kitchen")) if key}

    assert len(owners) == 2


def test_a_file_without_keys_locks_everybody_out(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(file, "")
    ring = Keyring(file=file)

    assert not ring.is_open
    assert ring.find(b"") is None


def test_with_neither_keys_nor_a_file_everybody_is_one() -> None:
    limits = Key(rate_limit=RateLimit(3, 1), max_jobs=100)
    ring = Keyring(default=limits)

    assert ring.is_open
    assert ring.find(b"anything") == ring.find(b"") == limits


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(file, entry("kitchen", "sk-kitchen"))
    ring = Keyring(file=file)

    write(file, entry("cellar", "sk-cellar"))

    assert ring.find(b"sk-cellar") is not None
    assert ring.find(b"sk-kitchen") is None


@pytest.mark.parametrize("broken", ["[[keys]]\nname = ", '[[keys]]\nname = "x"\nsha256 = "short"\n', None])
def test_a_file_that_cannot_be_read_changes_nothing_until_it_can(tmp_path: Path, broken: str | None) -> None:
    file = tmp_path / "keys.toml"
    write(file, entry("kitchen", "sk-kitchen"))
    ring = Keyring(file=file)

    if broken is None:
        file.unlink()
    else:
        write(file, broken)
    assert ring.find(b"sk-kitchen") is not None
    assert ring.find(b"") is None

    write(file, entry("cellar", "sk-cellar"))
    assert ring.find(b"sk-cellar") is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "keys.toml"),
        ("keys = 5", "array"),
        ('[[keys]]\nname = "x"\n', "sha256"),
        ('[[keys]]\nname = "x"\nsha256 = "abc"\n', "64 hex digits"),
        (entry("x", "a", 'rate_limit = "many"'), "60/minute"),
        (entry("x", "a", "max_concurrent = -1"), "at least 0"),
        (entry("x", "a", "colour = 1"), "colour"),
        (entry("x", "a") + entry("x", "b"), "name 'x' twice"),
        (entry("x", "a") + entry("y", "a"), "twice"),
    ],
)
def test_a_file_that_cannot_be_read_at_the_start_is_reported(tmp_path: Path, text: str | None, says: str) -> None:
    file = tmp_path / "keys.toml"
    if text is not None:
        write(file, text)

    with pytest.raises(SettingsError, match=says) as caught:
        Keyring(file=file)

    assert "KOE_API_KEYS_FILE" in str(caught.value)


def test_the_file_may_say_how_many_jobs_a_key_may_have_open(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    key, entry = make_key("reader", max_jobs=7)
    plain, other = make_key("plain")
    file.write_text(entry + other)
    ring = Keyring(file=file, default=Key(max_jobs=2))

    assert [found and found.max_jobs for found in (ring.find(key.encode()), ring.find(plain.encode()))] == [7, 2]
    file.write_text(entry.replace("max_jobs = 7", "max_jobs = -1"))
    with pytest.raises(SettingsError, match="max_jobs of 'reader'"):
        Keyring(file=file)


def test_a_key_is_found_by_its_name_until_it_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(file, entry("home", "sk-home", "max_concurrent = 3") + entry("other", "sk-other"))
    ring = Keyring(["sk-own"], file)

    home, own = ring.find_named("home"), ring.find_named("KOE_API_KEYS 1")
    assert home == ring.find(b"sk-home")
    assert home is not None
    assert home.max_concurrent == 3
    assert own == ring.find(b"sk-own")
    assert ring.find_named("") is None
    write(file, entry("other", "sk-other"))
    assert ring.find_named("home") is None
    assert Keyring().find_named("") == Keyring().find(b"")
