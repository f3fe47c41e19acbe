"""The description of the API at `/schema`: `openapi/speech.yaml`, with the values of this server filled in.

Why `speech.yaml` lies beside this module too, as a link: people find the contract at the top of the repository, and an
installed package finds it among its own files.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

import msgspec
import yaml

import app
from app.core.settings import Settings
from app.core.speech.voices import Catalogue

Described = dict[str, Any]
"""A part of the description, as JSON has it."""

ANY_VOICE: Final = "[A-Za-z][A-Za-z0-9_]{0,63}"
"""The contract's pattern of a blend has this in place of the names of the voices."""

_NO_WEBHOOKS: Final = {"type": "null", "description": "This server sends no webhooks: refused with code `not_supported`."}

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C is three times as fast. A PyYAML that was built without libyaml lacks it."""


class Description:
    """Describes a server that has these settings and voices."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue

    @cached_property
    def whole(self) -> Described:
        """The OpenAPI document. It is read on the first access: most processes never need it."""
        return describe(self._settings, self._catalogue)


def read_contract() -> Described:
    """Reads `speech.yaml`. Each alias of YAML becomes a copy."""
    text = (files("app.api.openapi") / "speech.yaml").read_bytes()
    whole: Described = msgspec.to_builtins(yaml.load(text, _LOADER))  # noqa: S506  Both loaders are safe ones.
    return whole


def describe(settings: Settings, catalogue: Catalogue) -> Described:
    """The contract with the version, keys, voices, limits and webhooks of a server."""
    whole = read_contract()
    whole["info"]["version"] = app.__version__
    if settings.api_keys or settings.api_keys_file:
        whole["security"] = [{"key": []}]
    schemas = whole["components"]["schemas"]
    _fill_in_voices(schemas, catalogue)
    _fill_in_limits(schemas, settings)
    if settings.webhook_secret is None:
        schemas["JobRequest"]["properties"]["webhook_url"] = _NO_WEBHOOKS
    return whole


def _fill_in_voices(schemas: Described, catalogue: Catalogue) -> None:
    """An alias of a blend cannot be part of another blend."""
    single = [alias for alias, name in catalogue.aliases.items() if name in catalogue.voices]
    schemas["VoiceName"]["enum"] = [*catalogue.aliases, *catalogue.voices]
    schemas["Blend"]["pattern"] = schemas["Blend"]["pattern"].replace(ANY_VOICE, _one_of((*single, *catalogue.voices)))


def _fill_in_limits(schemas: Described, settings: Settings) -> None:
    of_own_models = schemas["SpeechRequest"]["allOf"][0]["then"]
    of_own_models["properties"]["input"]["maxLength"] = settings.max_input_chars
    schemas["PhonemizeRequest"]["properties"]["input"]["maxLength"] = settings.max_input_chars
    schemas["JobRequest"]["properties"]["input"]["maxLength"] = settings.max_job_chars


def _one_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, names))})"
