"""The settings, read once from `KOE_*` at the roots (`app.cli.commands`, `workers.__main__`) and passed on as values.

Why an unknown `KOE_` name is an error: a misspelt setting that is silently ignored costs an evening.
"""

import base64
import difflib
import math
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec

from app.core.errors import SettingsError
from app.core.host.home import home
from app.core.host.installation import IMAGE
from app.core.host.own_python import own_environ
from app.core.host.service_links import service_links
from app.core.origins import check_origin
from app.core.rate_limits import RateLimit, parse_rate_limit
from app.core.request_limits import Bounds
from app.core.url_path import is_path

EVERY_ADDRESS: Final = "::"
"""Every address of this machine, IPv4 and IPv6, as a value of `host`."""
EVERY_IPV4: Final = "0.0.0.0"

OFF: Final = "off"
"""The value of `wyoming_zeroconf` that announces nothing."""

_SIZES: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_MIN_LOUDNESS, _MAX_LOUDNESS = -40.0, -9.0
_TRUE: Final = {"1", "true", "yes", "on"}
_FALSE: Final = {"0", "false", "no", "off", ""}
_WEBHOOK_PREFIX: Final = "whsec_"
_MIN_SECRET_BYTES, _MAX_SECRET_BYTES = 24, 64
"""Length of the key in a webhook secret, according to Standard Webhooks."""
_HTTP_URL: Final = re.compile(r"https?://[^\s/]+(/\S*)?", re.IGNORECASE)
_MAX_LABEL_BYTES: Final = 63
"""Longest part of a name in DNS."""
_MAX_SHOWN: Final = 60
"""Most characters of a value in a message."""
_LIKE_A_SETTING: Final = 0.75
"""Names that are at least this similar to a setting (by `difflib`) count as misspellings of it."""


class Secret:
    """A string that logs, errors and `repr` do not show."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The string."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Bytes(int):
    """A number of bytes; written as `1048576`, `1024k` or `256 MiB`."""


def _default_data(environ: Mapping[str, str]) -> Path:
    if sys.platform == "darwin":
        return home() / "Library" / "Application Support" / "koe"
    return Path(environ.get("XDG_DATA_HOME") or home() / ".local" / "share") / "koe"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One field for each `KOE_` name; the docstring under a field is its row in the table of `deploy/README.md`."""

    host: str = "127.0.0.1"
    """Address that the API listens on; `::` is every address, IPv4 and IPv6."""
    port: int = 8000
    """Port that the API listens on; 0 takes a free one."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names, in addition to localhost, for a server without keys on a loopback address; commas between; `*` is any."""
    root_path: str = ""
    """Path under which a proxy serves the API, such as `/tts`; `/` is none. Unset: the header `X-Forwarded-Prefix` names it."""
    keep_alive: float = 75.0
    """Seconds that a connection without a request stays open; a proxy in front should close its own earlier."""
    max_connections: int = 4096
    """Most connections at the same time, and at most 3/4 of the open files; one more closes an idle one, or gets 503."""
    wyoming: str = ""
    """Address for Wyoming clients such as Home Assistant: `tcp://0.0.0.0:10200`; port 0 takes a free one. None: off."""
    wyoming_key: str = ""
    """Name of the key whose limits and words Wyoming clients share, since they send none; needed on a server with keys."""
    wyoming_zeroconf: str = OFF
    """Name under which `KOE_WYOMING` is announced to the local network, such as `koe`; `off` announces nothing."""
    redis_url: Secret | None = None
    """Redis for queue, streams and cache. None: an embedded Valkey with its files in `KOE_DATA`."""
    data: Path = Path()
    """Folder for the embedded Valkey, the files of jobs, and what `koe fetch` downloads from the package registries."""
    engine: Literal["auto", "kokoro", "espeak", "tone"] = "auto"
    """Engine that a worker loads; `auto` is Kokoro if its files are present, else espeak-ng."""
    model_dir: Path | None = None
    """Folder with `config.json`, weights and `voices/*.pt`. None: the Hugging Face cache, else `kokoro` in `KOE_DATA`."""
    device: str = "auto"
    """Device of the model, in PyTorch's words; `auto` is the first that exists of `cuda`, `mps` and `cpu`."""
    precision: Literal["auto", "float32", "float16", "bfloat16", "int8"] = "auto"
    """Precision in which a CPU keeps the prepared weights of Kokoro's decoder; `auto` is `bfloat16`."""
    threads: int = 0
    """Compute threads of a worker; 0 is one for each core."""
    slots: int = 0
    """Utterances that a worker takes at the same time from the interactive queue; 0 is 32."""
    batch_slots: int = 0
    """Tasks that a worker takes at the same time from the batch queue; 0 is 2."""
    scheduler: Literal["deadline", "fifo"] = "deadline"
    """Which segment is spoken next: for the listener whose audio ends first, or for the oldest request (`fifo`)."""
    api_keys: tuple[Secret, ...] = ()
    """API keys, separated by commas. Without keys here and without a file of keys, everybody may call."""
    api_keys_file: Path | None = None
    """TOML file with more keys: for each a name, its SHA-256, and limits of its own. Changes are noticed."""
    rate_limit: RateLimit | None = None
    """Requests that a key may make, such as `60/minute`; also `/second`, `/hour`. None: no limit."""
    max_concurrent: int = 0
    """Requests for speech that a key may have open at the same time; 0 is no limit."""
    max_open_jobs: int = 100
    """Jobs of a key that may be open (not ended) at the same time; more get 429. 0 is no limit."""
    metrics_port: int | None = None
    """Port on `KOE_HOST` where a worker serves its own metrics; `koe serve` counts up for more workers. 0: any free one."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose web pages may call the API, separated by commas; `*` is every origin."""
    max_input_chars: int = 100_000
    """Longest `input` for the models `kokoro` and `espeak`, in code points."""
    max_job_chars: int = 1_000_000
    """Longest `input` of a job, in code points."""
    max_job_seconds: int = 172_800
    """Longest audio of a job, in seconds; a longer one ends with `job_too_long`."""
    max_wait: float = 30.0
    """Longest wait, in seconds, for the first audio, and for a worker to continue a stream that has begun."""
    wait_for_worker: bool = False
    """Whether requests wait up to `KOE_MAX_WAIT` for a first worker (for fleets that shrink to none), or get 503 at once."""
    max_queue: int = 512
    """Requests for speech that may wait for a worker; more get 429."""
    cache_shared: bool = True
    """Whether keys share cached audio; `false` gives each key a cache of its own."""
    cache_ttl: int = 3600
    """Seconds that finished audio and reusable segments stay cached after their last use."""
    cache_bytes: Bytes = Bytes(256 * 1024**2)
    """Most bytes of cached finished audio; the longest unused is deleted first."""
    keep_bytes: Bytes = Bytes(256 * 1024**2)
    """Most bytes of spoken segments stored for unfinished texts, so that a crash does not lose them; more are not stored."""
    segment_bytes: Bytes = Bytes(128 * 1024**2)
    """Most bytes of segments cached for other texts (48 kB per second); the longest unused is deleted first. 0: none."""
    stream_bytes: Bytes = Bytes(16 * 1024**2)
    """Most bytes of audio that wait for a slow reader; the rest is spoken when the reader has caught up."""
    worker_timeout: float = 5.0
    """Seconds without a heartbeat after which another worker takes over."""
    idle_unload: float = 0.0
    """Seconds without work after which a worker unloads the model, and after five times as long its libraries; 0 is never."""
    store: str = ""
    """Where files of jobs are kept: a folder, or a URL of fsspec such as `s3://bucket/koe`. None: a folder in `KOE_DATA`."""
    store_reserve: Bytes = Bytes(256 * 1024**2)
    """Bytes that jobs leave free on the disk of a folder `KOE_STORE`; a job without room ends with `storage_full`."""
    job_ttl: int = 604_800
    """Seconds that an ended job and its file are kept."""
    document_ttl: int = 86_400
    """Seconds that a document, which a user has sent to make a job of it, is kept."""
    webhook_secret: Secret | None = None
    """Signs webhooks: `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks). None: no job may have a `webhook_url`."""
    webhook_private: bool = False
    """Whether webhooks may go to private and loopback addresses."""
    lexicon: Path | None = None
    """TOML file of words and their phonemes (Misaki's), by language."""
    lexicon_writable: bool = True
    """Whether users may change their own lexicons (`/v1/audio/lexicon`). Without keys, all callers share one."""
    emoji: Literal["drop", "say"] = "drop"
    """What happens to emoji: dropped (`drop`), or spoken by their names in the language of the text (`say`)."""
    code: Literal["skip", "say"] = "skip"
    """What happens to blocks of code: left out (`skip`), or read like text (`say`)."""
    think: Literal["skip", "say"] = "skip"
    """What happens to thoughts that a model sends in `<think>` and similar tags: left out (`skip`), or spoken (`say`)."""
    voices_file: Path | None = None
    """TOML file with more voices and aliases, in the form of `app/core/speech/voices.toml`."""
    loudness: float = -20.0
    """Loudness of every voice in LUFS (ITU-R BS.1770), from -40 to -9; 0 leaves each as its engine speaks it."""
    ffmpeg: Path | None = None
    """Path of the ffmpeg that encodes. None: the one inside imageio-ffmpeg."""
    mp3_bitrate: int = 128_000
    """Bits per second of mp3."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """Format of the log; `auto` is text on a terminal and JSON elsewhere."""
    otlp_endpoint: str = ""
    """Where traces go over OTLP/HTTP: `http://localhost:4318`. None: where `OTEL_EXPORTER_OTLP_ENDPOINT` says, or nowhere."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "host", _check_host(self.host))
        msgspec.structs.force_setattr(self, "root_path", self.root_path.rstrip("/") or self.root_path[:1])
        if self.root_path not in ("", "/") and not is_path(self.root_path):
            raise SettingsError(f"KOE_ROOT_PATH must be a path such as /tts, not {self.root_path!r}.")
        self._check_ranges()
        for origin in self.cors_origins:
            try:
                check_origin(origin)
            except ValueError as error:
                raise SettingsError(f"KOE_CORS_ORIGINS: {error}") from None
        if self.otlp_endpoint and not _HTTP_URL.fullmatch(self.otlp_endpoint):
            raise SettingsError(f"KOE_OTLP_ENDPOINT must be a URL such as http://localhost:4318, not {self.otlp_endpoint!r}.")
        if self.loudness and not _MIN_LOUDNESS <= self.loudness <= _MAX_LOUDNESS:
            raise SettingsError(
                f"KOE_LOUDNESS must be between {_MIN_LOUDNESS:g} and {_MAX_LOUDNESS:g} LUFS, or 0, not {self.loudness:g}."
            )
        if self.webhook_secret is not None:
            _check_webhook_secret(self.webhook_secret)
        self._check_wyoming()

    def _check_wyoming(self) -> None:
        if self.wyoming:
            _read_address(self.wyoming)
        if self.wyoming and self.has_keys and not self.wyoming_key:
            raise SettingsError(
                "KOE_WYOMING lets everybody who reaches its port use this server, because Wyoming clients send no key. Set "
                "KOE_WYOMING_KEY to the name of the key whose limits they share, or remove KOE_WYOMING."
            )
        if self.wyoming_key and not self.has_keys:
            raise SettingsError(
                "KOE_WYOMING_KEY names a key, and this server has none. Remove it, or set KOE_API_KEYS or KOE_API_KEYS_FILE."
            )
        msgspec.structs.force_setattr(self, "wyoming_zeroconf", _check_service_name(self.wyoming_zeroconf))
        if self.wyoming_zeroconf != OFF and not self.wyoming:
            raise SettingsError("KOE_WYOMING_ZEROCONF announces the address in KOE_WYOMING, which is not set.")

    def _check_ranges(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not value >= least:
                raise SettingsError(f"{env_name(name)} must be at least {least}, not {value}.")
            if value > most:
                raise SettingsError(f"{env_name(name)} must be at most {most}, not {value}.")

    @property
    def fetched_model(self) -> Path:
        """Folder of the model's files that `koe fetch` downloaded from the package registries."""
        return self.data / "kokoro"

    @property
    def wants_model(self) -> bool:
        """Whether a worker loads Kokoro's files, if they are there."""
        return self.engine in ("auto", "kokoro")

    @property
    def store_url(self) -> str:
        """Folder or URL of the files of jobs."""
        return self.store or str(self.data / "store")

    @property
    def has_keys(self) -> bool:
        """Whether requests need a key."""
        return bool(self.api_keys or self.api_keys_file)

    @property
    def wyoming_address(self) -> tuple[str, int] | None:
        """Host and port for Wyoming clients; None without them."""
        return _read_address(self.wyoming) if self.wyoming else None

    @property
    def is_everywhere(self) -> bool:
        """Whether the API listens on every address of this machine."""
        return self.host in (EVERY_IPV4, EVERY_ADDRESS, "")

    @property
    def bounds(self) -> Bounds:
        """The limits on connections that the operator sets."""
        return Bounds(keep_alive_seconds=self.keep_alive, n_connections=self.max_connections)

    @property
    def own_url(self) -> str:
        """The URL of the API for a client on this machine."""
        host = "127.0.0.1" if self.is_everywhere else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


_MAX_BYTES: Final = 2**50
_MAX_SECONDS: Final = 10 * 365 * 86_400
"""Ten years: a longer time is a mistake, and Redis accepts no infinite number."""

_RANGES: Final[dict[str, tuple[float, float]]] = {
    "port": (0, 65_535),
    "keep_alive": (1, 86_400),
    "max_connections": (1, 1_000_000),
    "metrics_port": (0, 65_535),
    "threads": (0, 1_024),
    "slots": (0, 1_024),
    "batch_slots": (0, 1_024),
    "max_concurrent": (0, 1_000_000),
    "max_open_jobs": (0, 1_000_000),
    "max_input_chars": (1, 100_000_000),
    "max_job_chars": (1, 100_000_000),
    "max_job_seconds": (1, _MAX_SECONDS),
    "max_wait": (0.1, 86_400),
    "max_queue": (1, 1_000_000),
    "cache_ttl": (1, _MAX_SECONDS),
    "cache_bytes": (0, _MAX_BYTES),
    "keep_bytes": (0, _MAX_BYTES),
    "segment_bytes": (0, _MAX_BYTES),
    "stream_bytes": (65_536, _MAX_BYTES),
    "idle_unload": (0, _MAX_SECONDS),
    "store_reserve": (0, _MAX_BYTES),
    "job_ttl": (1, _MAX_SECONDS),
    "document_ttl": (60, _MAX_SECONDS),
    "worker_timeout": (1.0, 86_400),
    "mp3_bitrate": (8_000, 320_000),
}
"""Smallest and largest value of each number."""


def _check_webhook_secret(secret: Secret) -> None:
    prefix, encoded = secret.reveal()[: len(_WEBHOOK_PREFIX)], secret.reveal()[len(_WEBHOOK_PREFIX) :]
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        key = b""
    if prefix != _WEBHOOK_PREFIX or not _MIN_SECRET_BYTES <= len(key) <= _MAX_SECRET_BYTES:
        raise SettingsError(
            f"KOE_WEBHOOK_SECRET must be {_WEBHOOK_PREFIX} and the base64 of {_MIN_SECRET_BYTES} to {_MAX_SECRET_BYTES} bytes. "
            f'This makes one: echo "{_WEBHOOK_PREFIX}$(openssl rand -base64 32)"'
        )


def _check_host(host: str) -> str:
    """The address or name, `[::1]` without its brackets. Raises SettingsError for any other text."""
    if host.startswith("unix:") or "/" in host:
        raise SettingsError(f"KOE_HOST must be an address or a name such as 127.0.0.1, not {host!r}: Koe listens on TCP only.")
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1]
    if re.fullmatch(r"([^:]+|\[.*\]):\d+", host):
        raise SettingsError(f"KOE_HOST must be an address or a name without a port, not {host!r}: KOE_PORT sets the port.")
    return host


def _read_address(url: str) -> tuple[str, int]:
    """Host and port of a URL `tcp://HOST:PORT`. Raises SettingsError for any other text."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or url.rstrip("/").lower() not in (f"tcp://{host}:{port}", f"tcp://[{host}]:{port}"):
        raise SettingsError(f"KOE_WYOMING must be an address such as tcp://0.0.0.0:10200, not {_shortened(url)!r}.")
    return host, port


def _check_service_name(name: str) -> str:
    """The name, `off` in lower case. Raises SettingsError for one that DNS cannot have."""
    if name.lower() == OFF:
        return OFF
    if not name.isprintable() or "." in name or len(name.encode()) > _MAX_LABEL_BYTES:
        raise SettingsError(
            f"KOE_WYOMING_ZEROCONF must be a name such as koe, of at most {_MAX_LABEL_BYTES} bytes and without dots, or off, "
            f"not {_shortened(name)!r}."
        )
    return name


def env_name(field: str) -> str:
    """The environment variable of a field: `KOE_MAX_WAIT` for `max_wait`."""
    return f"KOE_{field.upper()}"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`. Raises SettingsError for an unknown `KOE_` name or an invalid value. Ignores the names that
    Kubernetes sets for Services such as `koe`, and the name that Koe's images set.
    """
    fields = {env_name(field): field for field in Settings.__struct_fields__}
    passed_over = {IMAGE, *service_links(environ)}
    values: dict[str, str] = {}
    for name, text in environ.items():
        if not name.upper().startswith("KOE_") or name in passed_over:
            continue
        if name in fields:
            values[fields[name]] = text.strip()
        elif name.startswith("KOE_") or name.upper() in fields:
            raise SettingsError(_unknown(name, sorted(fields)))
    hints = get_type_hints(Settings)
    read = {field: _read(field, hints[field], text) for field, text in values.items() if text}
    return Settings(**{"data": _default_data(environ)} | read)


def _unknown(name: str, names: list[str]) -> str:
    """A sentence about a name that is not a setting."""
    meant = difflib.get_close_matches(name.upper(), names, n=1, cutoff=_LIKE_A_SETTING)
    return f"{name} is not a setting of Koe. " + (f"Did you mean {meant[0]}?" if meant else f"Settings: {', '.join(names)}.")


def write_settings(settings: Settings) -> dict[str, str]:
    """The environment that `read_settings` turns into these settings: a parent passes them to its child processes this way."""
    environ = {}
    for field in Settings.__struct_fields__:
        value = getattr(settings, field)
        if value is None or value == ():
            continue
        environ[env_name(field)] = _write(value)
    return environ


def part_environ(settings: Settings) -> dict[str, str]:
    """The environment for a Python process that this one starts: this process's own, with these settings and no other settings
    of Koe.
    """
    others = {name: value for name, value in os.environ.items() if not name.startswith("KOE_") or name == IMAGE}
    return own_environ(others | write_settings(settings))


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(_write(item) for item in value)
    return value.reveal() if isinstance(value, Secret) else str(value)


def _read(field: str, hint: Any, text: str) -> Any:
    try:
        return _parse(hint, text)
    except (ValueError, RuntimeError, msgspec.ValidationError):
        raise SettingsError(f"{env_name(field)} must be {_form(hint)}, not {_shortened(text)!r}.") from None


def _form(hint: Any) -> str:
    """The valid values of a setting of that type."""
    if getattr(hint, "__origin__", None) is Literal:
        *others, last = hint.__args__
        return f"{', '.join(others)} or {last}"
    kinds = getattr(hint, "__args__", (hint,))
    return next(form for kind, form in _FORMS.items() if kind in kinds)


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _parse(hint: Any, text: str) -> Any:
    kinds = getattr(hint, "__args__", (hint,))
    if getattr(hint, "__origin__", None) is tuple:
        return tuple(_parse(kinds[0], item.strip()) for item in text.split(",") if item.strip())
    for kind, parse in _PARSERS.items():
        if kind in kinds:
            return parse(text)
    return msgspec.convert(text, hint)


def _parse_bool(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError("expected true or false")
    return text.lower() in _TRUE


def _parse_int(text: str) -> int:
    if re.fullmatch(r"[+-]?[0-9]{1,20}", text) is None:
        raise ValueError("expected a whole number")
    return int(text)


def _parse_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("expected a number")
    return value


def _parse_bytes(text: str) -> Bytes:
    match = re.fullmatch(r"([0-9]{1,20})\s*([kmg]?)(?:i?b)?", text.lower())
    if match is None:
        raise ValueError("expected a number of bytes such as 268435456 or 256MiB")
    return Bytes(int(match[1]) * _SIZES[match[2]])


_PARSERS: Final[dict[type, Callable[[str], Any]]] = {
    Secret: Secret,
    Path: lambda text: Path(text).expanduser(),
    Bytes: _parse_bytes,
    bool: _parse_bool,
    RateLimit: parse_rate_limit,
    int: _parse_int,
    float: _parse_float,
}

_FORMS: Final[dict[type, str]] = {
    Path: "a path",
    Bytes: "a number of bytes such as 268435456 or 256MiB",
    bool: "true or false",
    RateLimit: "a limit such as 60/minute, 5/second or 1000/hour",
    int: "a whole number",
    float: "a number",
}
"""For messages: the valid values of each type."""
