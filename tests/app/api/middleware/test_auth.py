"""Which keys are accepted, and which part of an incorrect key is shown."""

import pytest

from app.access.keyring import Keyring
from app.api.middleware.auth import check, mask
from app.core.errors import IncorrectKey, MissingKey

KEYS = Keyring(("sk-first-key-of-two", "schlüssel-日本", "short"))
OPEN = Keyring()


def owner(header: str) -> str:
    return check(KEYS, header).owner


@pytest.mark.parametrize("header", [None, "", "Bearer ", "Bearer", "Bearer anything", "Basic x", "\xff"])
def test_with_no_keys_set_everybody_may(header: str | None) -> None:
    assert check(OPEN, header).owner == ""


@pytest.mark.parametrize(
    "header",
    [
        "Bearer sk-first-key-of-two",
        "bearer sk-first-key-of-two",
        "BEARER   sk-first-key-of-two  ",
        "Bearer short",
        "Bearer " + "schlüssel-日本".encode().decode("latin-1"),
        "Bearer schlüssel-日本",
    ],
)
def test_each_key_opens(header: str) -> None:
    check(KEYS, header)


@pytest.mark.parametrize("header", [None, "", " ", "Bearer", "Bearer ", "Basic dTpw", "sk-first-key-of-two"])
def test_a_missing_key_is_reported_as_openai_reports_it(header: str | None) -> None:
    with pytest.raises(MissingKey) as caught:
        check(KEYS, header)
    assert caught.value.message.startswith("You didn't provide an API key.")


@pytest.mark.parametrize(
    "key", ["sk-first-key-of-tw", "sk-first-key-of-two2", "SHORT", "ключ", "\xff\xfe", "\x00", "a b", "schl\udcffssel"]
)
def test_another_key_opens_nothing(key: str) -> None:
    with pytest.raises(IncorrectKey) as caught:
        check(KEYS, f"Bearer {key}")
    assert caught.value.message.startswith("Incorrect API key provided: ")
    assert caught.value.message.encode()


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("k", "k"),
        ("1234567", "1234567"),
        ("12345678", "123***"),
        ("123456789012", "123***"),
        ("1234567890123", "12345678***0123"),
        ("sk-proj-abcdefghijklmnop", "sk-proj-***mnop"),
    ],
)
def test_a_key_is_masked_by_its_length(key: str, shown: str) -> None:
    assert mask(key) == shown


def test_a_long_key_is_never_shown_whole() -> None:
    for n_chars in range(8, 200):
        key = "".join(chr(ord("a") + i % 26) for i in range(n_chars))
        with pytest.raises(IncorrectKey) as caught:
            check(KEYS, f"Bearer {key}")
        assert key not in caught.value.message


def test_the_keyring_does_not_show_its_keys() -> None:
    assert "first" not in repr(KEYS) + repr(vars(KEYS))


def test_each_key_is_one_owner_however_it_is_sent_and_shows_nothing_of_itself() -> None:
    first = owner("Bearer sk-first-key-of-two")
    assert first == owner("bearer   sk-first-key-of-two ")
    assert first != owner("Bearer short")
    assert first
    assert "sk-first" not in first
    assert owner("Bearer schlüssel-日本") == owner("Bearer " + "schlüssel-日本".encode().decode("latin-1"))


@pytest.mark.parametrize("header", [None, "Bearer anything"])
def test_with_no_keys_set_everybody_is_one_owner(header: str | None) -> None:
    assert check(OPEN, header) == check(OPEN, "Bearer another")
