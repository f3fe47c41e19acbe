"""The settings, read once from `KOE_*` at the roots (`app.cli`, `workers.__main__`) and handed down as values.

Why an unknown `KOE_` name is an error: a misspelt setting that is quietly ignored costs an evening.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_type_hints

import msgspec

from app.core.errors import Misconfigured
from app.core.limits import RateLimit, parse_rate_limit
from app.core.origins import check_origin

_SIZES: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_MOST_PORT: Final = 65_535
_MIN_LOUDNESS, _MAX_LOUDNESS = -40.0, -9.0
_TRUE: Final = {"1", "true", "yes", "on"}
_FALSE: Final = {"0", "false", "no", "off", ""}


class SettingsError(Misconfigured):
    """A setting that cannot be used; the message names it and says what it may be."""


class Secret:
    """A string that does not show itself in logs, errors or `repr`."""

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
        return Path.home() / "Library" / "Application Support" / "koe"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "koe"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One field for each `KOE_` name; the docstring under a field is its line in the README's table."""

    host: str = "127.0.0.1"
    """Address the API listens on."""
    port: int = 8000
    """Port the API listens on; 0 takes a free one."""
    redis_url: Secret | None = None
    """Queue, streams and cache. None: an embedded Valkey with its files in `KOE_DATA`."""
    data: Path = Path()
    """Folder of the embedded server's files, of finished jobs, and of what `koe fetch` has from the package registries."""
    engine: Literal["auto", "kokoro", "espeak", "tone"] = "auto"
    """Which engine a worker loads; `auto` is Kokoro where its files are, else espeak-ng."""
    model_dir: Path | None = None
    """Folder with `config.json`, weights and `voices/*.pt`. None: the Hugging Face cache, else `kokoro` in `KOE_DATA`."""
    device: str = "auto"
    """Device of the model, as PyTorch names it; `auto` is the best that is there of `cuda`, `mps` and `cpu`."""
    threads: int = 0
    """Compute threads of a worker; 0 is one for each core."""
    slots: int = 0
    """Utterances that a worker has in hand at a time in the interactive lane; 0 is 32."""
    batch_slots: int = 0
    """The same for the batch lane; 0 is 2."""
    scheduler: Literal["deadline", "fifo"] = "deadline"
    """Which segment is spoken next: the one whose listener runs dry first, or the one whose request came first (`fifo`)."""
    api_keys: tuple[Secret, ...] = ()
    """Keys that open the API, divided by commas. With none here and no file, everybody may."""
    api_keys_file: Path | None = None
    """TOML file with more keys: of each a name, its SHA-256, and limits of its own; read again when it changes."""
    rate_limit: RateLimit | None = None
    """Requests for speech that a key may make, such as `60/minute`; also `/second`, `/hour`. None: any number."""
    max_concurrent: int = 0
    """Requests for speech that a key may have open at a time; 0 is any number."""
    max_open_jobs: int = 100
    """Jobs of a key that may be open (not ended) at a time; more get 429. 0 is any number."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may use the API from a browser, divided by commas; `*` is every one."""
    max_input_chars: int = 100_000
    """Longest `input` for the models `kokoro` and `espeak`, in code points."""
    max_job_chars: int = 1_000_000
    """Longest `input` of a job, in code points."""
    max_wait: float = 30.0
    """Longest wait for the first audio, and for a worker to return to a stream that has begun, in seconds."""
    max_queue: int = 512
    """Requests for speech that may wait for a worker; more get 429."""
    cache_shared: bool = True
    """Whether a key may be given audio that another key has asked for; `false` gives each key a cache of its own."""
    cache_ttl: int = 3600
    """Seconds that finished audio, and segments for other texts, are kept after they were last asked for."""
    cache_bytes: Bytes = Bytes(256 * 1024**2)
    """Most bytes of finished audio that are kept; the longest unused goes first."""
    keep_bytes: Bytes = Bytes(256 * 1024**2)
    """Most bytes of spoken segments that are kept, so that no worker's end costs them; what comes beyond is not kept."""
    segment_bytes: Bytes = Bytes(128 * 1024**2)
    """Most bytes of spoken segments that are kept for other texts, 48 kB a second; the longest unused goes first. 0: none."""
    stream_bytes: Bytes = Bytes(16 * 1024**2)
    """Most bytes of audio that wait for a slow reader; the rest is spoken when they have been read."""
    worker_timeout: float = 5.0
    """Seconds within which another worker takes over from one that gives no sign of life."""
    idle_unload: float = 0.0
    """Seconds without work after which a worker lets go of the model until it is asked again; 0 is never."""
    store: str = ""
    """Where the files of jobs are kept: a folder, or a URL of fsspec's such as `s3://bucket/koe`. None: one in `KOE_DATA`."""
    job_ttl: int = 604_800
    """Seconds that a job that has ended, and its file, are kept."""
    webhook_secret: Secret | None = None
    """Signs webhooks: `whsec_` and base64, as Standard Webhooks has it. None: jobs with a `webhook_url` are refused."""
    webhook_private: bool = False
    """Whether webhooks may go to private and loopback addresses."""
    lexicon: Path | None = None
    """TOML file of words and how they are said, by language, in Misaki's phonemes."""
    emoji: Literal["drop", "say"] = "drop"
    """What becomes of emoji: dropped, or said by their names in the language of the text (`say`)."""
    voices_file: Path | None = None
    """TOML file with voices and aliases of the operator's own, in the shape of `app/core/voices.toml`."""
    loudness: float = -20.0
    """Loudness of every voice in LUFS (ITU-R BS.1770), from -40 to -9; 0 leaves each as loud as its engine speaks it."""
    ffmpeg: Path | None = None
    """The encoder's binary. None: the one inside imageio-ffmpeg."""
    mp3_bitrate: int = 128_000
    """Bits per second of mp3."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """How the log is written; `auto` is text on a terminal and JSON elsewhere."""

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if not getattr(self, name) >= least:
                raise SettingsError(f"{env_name(name)} must be at least {least}, not {getattr(self, name)}.")
        for origin in self.cors_origins:
            try:
                check_origin(origin)
            except ValueError as error:
                raise SettingsError(f"KOE_CORS_ORIGINS: {error}") from None
        if self.loudness and not _MIN_LOUDNESS <= self.loudness <= _MAX_LOUDNESS:
            raise SettingsError(
                f"KOE_LOUDNESS must be between {_MIN_LOUDNESS:g} and {_MAX_LOUDNESS:g} LUFS, or 0, not {self.loudness:g}."
            )
        if self.port > _MOST_PORT:
            raise SettingsError(f"KOE_PORT must be at most {_MOST_PORT}, not {self.port}.")

    @property
    def fetched_model(self) -> Path:
        """Folder of the model's files that `koe fetch` had from the package registries."""
        return self.data / "kokoro"

    @property
    def own_url(self) -> str:
        """Where a client on this machine reaches the API."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


_LEAST: Final = {
    "port": 0,
    "threads": 0,
    "slots": 0,
    "batch_slots": 0,
    "max_concurrent": 0,
    "max_open_jobs": 0,
    "max_input_chars": 1,
    "max_job_chars": 1,
    "max_wait": 0.1,
    "max_queue": 1,
    "cache_ttl": 1,
    "cache_bytes": 0,
    "keep_bytes": 0,
    "segment_bytes": 0,
    "stream_bytes": 65_536,
    "idle_unload": 0,
    "job_ttl": 1,
    "worker_timeout": 1.0,
    "mp3_bitrate": 8_000,
}


def env_name(field: str) -> str:
    """`max_wait` → `KOE_MAX_WAIT`."""
    return f"KOE_{field.upper()}"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that `environ` holds. Raises SettingsError for an unknown `KOE_` name or a value that cannot be read."""
    names = {env_name(field): field for field in Settings.__struct_fields__}
    values: dict[str, str] = {}
    for name, text in environ.items():
        if not name.startswith("KOE_"):
            continue
        if name not in names:
            raise SettingsError(f"{name} is no setting of Koe. Settings: {', '.join(sorted(names))}.")
        if text.strip():
            values[names[name]] = text.strip()
    hints = get_type_hints(Settings)
    read: dict[str, Any] = {"data": _default_data(environ)}
    read |= {field: _read(field, hints[field], text) for field, text in values.items()}
    return Settings(**read)


def write_settings(settings: Settings) -> dict[str, str]:
    """The environment that `read_settings` turns into these settings: how a parent hands them to its parts."""
    environ = {}
    for field in Settings.__struct_fields__:
        value = getattr(settings, field)
        if value is None or value == ():
            continue
        environ[env_name(field)] = _write(value)
    return environ


def part_environ(settings: Settings) -> dict[str, str]:
    """The environment for a process that this one starts: this one's own, with these settings and no others of Koe's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KOE_")} | write_settings(settings)


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(_write(item) for item in value)
    return value.reveal() if isinstance(value, Secret) else str(value)


def _read(field: str, hint: Any, text: str) -> Any:
    try:
        return _parse(hint, text)
    except (ValueError, msgspec.ValidationError) as error:
        raise SettingsError(f"{env_name(field)}: {text!r} cannot be read ({error}).") from None


def _parse(hint: Any, text: str) -> Any:
    kinds = getattr(hint, "__args__", (hint,))
    if getattr(hint, "__origin__", None) is tuple:
        return tuple(_parse(kinds[0], item.strip()) for item in text.split(",") if item.strip())
    for kind, parse in _PARSERS.items():
        if kind in kinds:
            return parse(text)
    return msgspec.convert(text, hint, strict=False)


def _parse_bool(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError("expected true or false")
    return text.lower() in _TRUE


def _parse_bytes(text: str) -> Bytes:
    match = re.fullmatch(r"(\d+)\s*([kmg]?)(?:i?b)?", text.lower())
    if match is None:
        raise ValueError("expected a number of bytes such as 268435456 or 256MiB")
    return Bytes(int(match[1]) * _SIZES[match[2]])


_PARSERS: Final[dict[type, Callable[[str], Any]]] = {
    Secret: Secret,
    Path: lambda text: Path(text).expanduser(),
    Bytes: _parse_bytes,
    bool: _parse_bool,
    RateLimit: parse_rate_limit,
}
