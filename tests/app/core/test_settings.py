"""The settings: read strictly, handed on whole, and no secret shown."""

from pathlib import Path

import pytest

from app.core.settings import Secret, Settings, SettingsError, env_name, read_settings, write_settings


def test_nothing_set_means_the_defaults() -> None:
    settings = read_settings({"PATH": "/bin"})
    assert (settings.host, settings.port, settings.engine, settings.api_keys) == ("127.0.0.1", 8000, "auto", ())
    assert settings.redis_url is None
    assert settings.data.name == "koe"


def test_a_name_that_is_no_setting_is_refused_with_those_that_are() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"KOE_PROT": "80"})
    assert "KOE_PROT" in str(caught.value)
    assert "KOE_PORT" in str(caught.value)


def test_an_empty_value_is_as_not_set() -> None:
    assert read_settings({"KOE_PORT": " ", "KOE_API_KEYS": ""}) == read_settings({})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("KOE_PORT", "eighty"),
        ("KOE_PORT", "-1"),
        ("KOE_ENGINE", "festival"),
        ("KOE_MAX_WAIT", "soon"),
        ("KOE_MAX_WAIT", "0"),
        ("KOE_MAX_WAIT", "nan"),
        ("KOE_MAX_INPUT_CHARS", "0"),
        ("KOE_CACHE_BYTES", "12 parsecs"),
        ("KOE_CACHE_BYTES", "-1"),
        ("KOE_KEEP_BYTES", "-1"),
        ("KOE_SEGMENT_BYTES", "-1"),
        ("KOE_STREAM_BYTES", "65535"),
        ("KOE_WORKER_TIMEOUT", "0.9"),
        ("KOE_JOB_TTL", "0"),
        ("KOE_MAX_JOB_CHARS", "0"),
        ("KOE_WEBHOOK_PRIVATE", "perhaps"),
        ("KOE_SCHEDULER", "random"),
        ("KOE_MP3_BITRATE", "1"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({name: text})


@pytest.mark.parametrize(
    ("text", "n_bytes"), [("0", 0), ("1048576", 2**20), ("1024k", 2**20), ("256 MiB", 2**28), ("2GB", 2**31), ("7b", 7)]
)
def test_a_size_is_read_with_its_unit(text: str, n_bytes: int) -> None:
    assert read_settings({"KOE_CACHE_BYTES": text}).cache_bytes == n_bytes


def test_keys_are_divided_by_commas() -> None:
    assert read_settings({"KOE_API_KEYS": "one, two ,,three,"}).api_keys == (Secret("one"), Secret("two"), Secret("three"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("Yes", True), ("ON", True), ("false", False), ("0", False), ("off", False)],
)
def test_a_switch_is_read_as_people_write_it(text: str, value: bool) -> None:
    assert read_settings({"KOE_WEBHOOK_PRIVATE": text}).webhook_private is value


def test_no_secret_shows_itself() -> None:
    settings = read_settings(
        {"KOE_API_KEYS": "sk-hidden", "KOE_REDIS_URL": "redis://:hidden@example/0", "KOE_WEBHOOK_SECRET": "whsec_hidden"}
    )
    assert "hidden" not in repr(settings)
    assert "hidden" not in f"{settings.api_keys[0]} {settings.redis_url!s}"
    assert settings.api_keys[0].reveal() == "sk-hidden"


def test_what_is_written_is_read_back_the_same() -> None:
    environ = {
        "KOE_HOST": "0.0.0.0",
        "KOE_PORT": "9000",
        "KOE_REDIS_URL": "redis://:secret@example:6379/3",
        "KOE_DATA": "/srv/koe",
        "KOE_ENGINE": "espeak",
        "KOE_MODEL_DIR": "/srv/model",
        "KOE_API_KEYS": "one,two",
        "KOE_MAX_WAIT": "2.5",
        "KOE_CACHE_BYTES": "1GiB",
        "KOE_SCHEDULER": "fifo",
        "KOE_KEEP_BYTES": "64MiB",
        "KOE_SEGMENT_BYTES": "32MiB",
        "KOE_STREAM_BYTES": "1m",
        "KOE_WORKER_TIMEOUT": "2.5",
        "KOE_STORE": "s3://bucket/koe",
        "KOE_JOB_TTL": "60",
        "KOE_MAX_JOB_CHARS": "2000",
        "KOE_WEBHOOK_SECRET": "whsec_c2VjcmV0",
        "KOE_WEBHOOK_PRIVATE": "true",
    }
    settings = read_settings(environ)
    assert read_settings(write_settings(settings)) == settings
    assert settings.model_dir == Path("/srv/model")
    assert set(write_settings(settings)) >= set(environ)


def test_the_defaults_too_are_read_back_the_same() -> None:
    assert read_settings(write_settings(read_settings({}))) == read_settings({})


def test_every_setting_has_its_name() -> None:
    assert env_name("max_input_chars") == "KOE_MAX_INPUT_CHARS"
    assert all(env_name(field).startswith("KOE_") for field in Settings.__struct_fields__)


@pytest.mark.parametrize("loudness", ["-60", "-3", "12"])
def test_a_loudness_that_no_voice_can_have_is_refused(loudness: str) -> None:
    with pytest.raises(SettingsError, match="KOE_LOUDNESS"):
        read_settings({"KOE_LOUDNESS": loudness})


def test_a_loudness_of_0_leaves_voices_as_they_are() -> None:
    assert read_settings({"KOE_LOUDNESS": "0"}).loudness == 0
