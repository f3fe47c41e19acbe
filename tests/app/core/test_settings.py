"""The settings: read strictly, passed on completely, and without showing a secret."""

import subprocess
from pathlib import Path
from typing import get_type_hints

import pytest

from app.core.errors import SettingsError
from app.core.host.service_links import service_links
from app.core.settings import Bytes, Secret, Settings, env_name, read_settings, write_settings


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
        {
            "KOE_API_KEYS": "sk-hidden",
            "KOE_REDIS_URL": "redis://:hidden@example/0",
            "KOE_WEBHOOK_SECRET": "whsec_aGlkZGVuaGlkZGVuaGlkZGVuaGlkZGVuaGlk",
        }
    )
    assert "hidden" not in repr(settings)
    assert "hidden" not in f"{settings.api_keys[0]} {settings.redis_url!s}"
    assert settings.api_keys[0].reveal() == "sk-hidden"


def test_written_settings_are_read_back_the_same() -> None:
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
        "KOE_WEBHOOK_SECRET": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
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


KUBERNETES = {
    "KOE_SERVICE_HOST": "10.0.0.5",
    "KOE_SERVICE_PORT": "8000",
    "KOE_SERVICE_PORT_HTTP": "8000",
    "KOE_PORT": "tcp://10.0.0.5:8000",
    "KOE_PORT_8000_TCP": "tcp://10.0.0.5:8000",
    "KOE_PORT_8000_TCP_PROTO": "tcp",
    "KOE_PORT_8000_TCP_PORT": "8000",
    "KOE_PORT_8000_TCP_ADDR": "10.0.0.5",
}
"""The variables that a Service called `koe` gives every pod."""


@pytest.mark.parametrize("service", ["KOE", "KOE_API", "KOE_WORKER", "KOE_REDIS", "KOE_REDIS_MASTER", "KOE_2"])
def test_variables_that_kubernetes_sets_for_a_service_are_ignored(service: str) -> None:
    environ = {name.replace("KOE", service, 1): value for name, value in KUBERNETES.items()}

    assert read_settings(environ | {"KOE_MAX_WAIT": "3"}) == read_settings({"KOE_MAX_WAIT": "3"})
    assert service_links(environ | {"KOE_MAX_WAIT": "3", "KOE_HOST": "::"}) == sorted(environ)


def test_a_port_that_is_set_for_koe_is_no_service_s() -> None:
    assert service_links({"KOE_PORT": "8001"}) == []
    assert read_settings({"KOE_SERVICE_HOST": "10.0.0.5", "KOE_PORT": "8001"}).port == 8001


@pytest.mark.parametrize("name", ["KOE_WORKER_PORT", "KOE_SERVICE", "KOE_SERVICE_HOSTS", "KOE_PORT_HTTP", "KOE_PORT_80"])
def test_a_name_that_only_resembles_a_service_s_stays_an_error(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not a setting"):
        read_settings({name: "8000"})


@pytest.mark.parametrize("field", Settings.__struct_fields__)
def test_the_error_for_a_misspelt_name_suggests_the_right_one(field: str) -> None:
    name = env_name(field)
    for misspelt in (f"{name}S", name[:-1], name.lower(), name[:6] + name[7:] if len(name) > 8 else name + "E"):
        if misspelt not in map(env_name, Settings.__struct_fields__):
            with pytest.raises(SettingsError, match=f"^{misspelt} is not a setting of Koe. Did you mean {name}\\?$"):
                read_settings({misspelt: "x"})


WRONG = {
    "KOE_PORT": ("eighty", "a whole number"),
    "KOE_MAX_WAIT": ("inf", "a number"),
    "KOE_ENGINE": ("Kokoro-82M", "auto, kokoro, espeak or tone"),
    "KOE_LOG_FORMAT": ("xml", "auto, text or json"),
    "KOE_CACHE_BYTES": ("12 parsecs", "256MiB"),
    "KOE_RATE_LIMIT": ("much", "60/minute"),
    "KOE_WEBHOOK_PRIVATE": ("perhaps", "true or false"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_error_for_a_bad_value_names_its_choices_or_its_form(name: str) -> None:
    value, form = WRONG[name]
    with pytest.raises(SettingsError) as caught:
        read_settings({name: value})
    assert str(caught.value).startswith(f"{name} must be ")
    assert form in str(caught.value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("field", [name for name, kind in get_type_hints(Settings).items() if kind in (int, float, Bytes)])
@pytest.mark.parametrize("text", ["9" * 20, "9" * 5000, "1e300", "inf", "nan", "-1e9", "-1", "0x10", "²"])
def test_a_number_without_sense_never_starts(field: str, text: str) -> None:
    with pytest.raises(SettingsError, match=env_name(field)) as caught:
        read_settings({env_name(field): text})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "secret",
    ["secret", "whsec_", "whsec_c2VjcmV0", "whsec_not base64 at all, though it is long", "whsec_" + "A" * 88, "c2VjcmV0" * 4],
)
def test_a_webhook_secret_of_another_form_is_refused_unshown_with_the_command_that_makes_one(secret: str) -> None:
    with pytest.raises(SettingsError, match="openssl rand") as caught:
        read_settings({"KOE_WEBHOOK_SECRET": secret})
    assert secret.removeprefix("whsec_") == "" or secret not in str(caught.value)


def test_the_command_in_the_error_makes_a_webhook_secret(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"KOE_WEBHOOK_SECRET": "secret"})
    command = str(caught.value).partition("This makes one: ")[2]
    made = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout.strip()

    assert read_settings({"KOE_WEBHOOK_SECRET": made}).webhook_secret == Secret(made)


def test_a_user_without_a_home_has_settings_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def home_of_nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home_of_nobody)

    assert read_settings({"KOE_DATA": "/data"}).data == Path("/data")
    assert not read_settings({}).data.exists()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("[::1]", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("tts.example", "http://tts.example:8000"),
    ],
)
def test_own_commands_find_the_server_wherever_it_listens(host: str, url: str) -> None:
    settings = read_settings({"KOE_HOST": host})

    assert settings.own_url == url
    assert settings.host == host.strip("[]")


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        ("unix:/run/koe.sock", "TCP only"),
        ("/run/koe.sock", "TCP only"),
        ("http://127.0.0.1", "TCP only"),
        ("127.0.0.1:9000", "KOE_PORT"),
        ("[::1]:9000", "KOE_PORT"),
        ("localhost:9000", "KOE_PORT"),
    ],
)
def test_the_error_for_an_invalid_host_says_what_a_host_is(host: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=f"KOE_HOST must be an address or a name.*{hint}"):
        read_settings({"KOE_HOST": host})


@pytest.mark.parametrize(("path", "read"), [("/tts", "/tts"), ("/tts/", "/tts"), ("/a/b", "/a/b"), ("/", "/"), ("", "")])
def test_a_root_path_ends_without_a_slash_unless_it_is_one(path: str, read: str) -> None:
    assert read_settings({"KOE_ROOT_PATH": path}).root_path == read


@pytest.mark.parametrize("path", ["tts", "//evil.example", "https://evil.example", "/a b", "/a/../b"])
def test_an_invalid_path_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match="KOE_ROOT_PATH must be a path"):
        read_settings({"KOE_ROOT_PATH": path})


def test_a_worker_has_no_port_for_metrics_unless_it_is_asked_to() -> None:
    assert read_settings({}).metrics_port is None
    assert read_settings({"KOE_METRICS_PORT": "0"}).metrics_port == 0
    assert "KOE_METRICS_PORT" not in write_settings(Settings())
    with pytest.raises(SettingsError, match="KOE_METRICS_PORT must be at most 65535"):
        read_settings({"KOE_METRICS_PORT": "65536"})


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("tcp://0.0.0.0:10200", ("0.0.0.0", 10_200)),
        ("tcp://[::]:10200", ("::", 10_200)),
        ("TCP://Localhost:0/", ("localhost", 0)),
        ("", None),
    ],
)
def test_the_address_for_wyoming_clients_is_read(url: str, address: tuple[str, int] | None) -> None:
    assert read_settings({"KOE_WYOMING": url}).wyoming_address == address


@pytest.mark.parametrize(
    "url",
    ["10200", "0.0.0.0:10200", "tcp://0.0.0.0", "tcp://:10200", "tcp://a:70000", "tcp://a:1/b", "unix:///a", "tcp://u@a:1"],
)
def test_another_address_for_wyoming_clients_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(SettingsError, match=r"KOE_WYOMING must be an address such as tcp://0\.0\.0\.0:10200, not "):
        read_settings({"KOE_WYOMING": url})


@pytest.mark.parametrize("keys", [{"KOE_API_KEYS": "one"}, {"KOE_API_KEYS_FILE": "keys.toml"}])
def test_wyoming_clients_open_no_server_with_keys_unless_a_key_is_named(keys: dict[str, str]) -> None:
    settings = keys | {"KOE_WYOMING": "tcp://127.0.0.1:10200"}
    with pytest.raises(SettingsError, match="Set KOE_WYOMING_KEY to the name of the key"):
        read_settings(settings)
    assert read_settings(settings | {"KOE_WYOMING_KEY": "home"}).wyoming_key == "home"


def test_a_key_for_wyoming_clients_needs_keys() -> None:
    with pytest.raises(SettingsError, match="KOE_WYOMING_KEY names a key, and this server has none"):
        read_settings({"KOE_WYOMING": "tcp://127.0.0.1:10200", "KOE_WYOMING_KEY": "home"})


def test_an_announcement_needs_an_address_and_a_name_that_dns_can_have() -> None:
    on = {"KOE_WYOMING": "tcp://127.0.0.1:10200"}
    assert read_settings(on).wyoming_zeroconf == "off"
    assert read_settings({"KOE_WYOMING_ZEROCONF": "Off"}).wyoming_zeroconf == "off"
    assert read_settings(on | {"KOE_WYOMING_ZEROCONF": "Koe in the hall"}).wyoming_zeroconf == "Koe in the hall"
    with pytest.raises(SettingsError, match="KOE_WYOMING_ZEROCONF announces the address in KOE_WYOMING, which is not set"):
        read_settings({"KOE_WYOMING_ZEROCONF": "koe"})
    for name in ("koe.local", "k" * 64, "koe\x00"):
        with pytest.raises(SettingsError, match="KOE_WYOMING_ZEROCONF must be a name such as koe"):
            read_settings(on | {"KOE_WYOMING_ZEROCONF": name})
