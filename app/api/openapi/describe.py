"""The description of the API at `/schema`: `openapi/speech.yaml`, with the values of this server filled in.

Why `speech.yaml` is also in this folder, as a link: people find the contract at the top of the repository, and an installed
package finds it among its own files.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

import msgspec
import yaml

import app
from app.core.speech.voices import Catalogue

Described = dict[str, Any]
"""A part of the description, as a JSON object."""

ANY_VOICE: Final = "[A-Za-z][A-Za-z0-9_]{0,63}"
"""Placeholder for the names of the voices in the contract's pattern of a blend."""

_NO_WEBHOOKS: Final = {"type": "null", "description": "This server sends no webhooks: refused with code `not_supported`."}

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C is three times as fast. A PyYAML that was built without libyaml lacks it."""


class Description:
    """Describes a server that has these voices, keys, limits and webhooks."""

    def __init__(
        self, catalogue: Catalogue, *, has_keys: bool, max_input_chars: int, max_job_chars: int, sends_webhooks: bool
    ) -> None:
        self._catalogue = catalogue
        self._has_keys = has_keys
        self._max_input_chars = max_input_chars
        self._max_job_chars = max_job_chars
        self._sends_webhooks = sends_webhooks

    @cached_property
    def whole(self) -> Described:
        """The OpenAPI document. It is read on the first access: most processes never need it."""
        whole = read_contract()
        whole["info"]["version"] = app.__version__
        if self._has_keys:
            whole["security"] = [{"key": []}]
        schemas = whole["components"]["schemas"]
        _fill_in_voices(schemas, self._catalogue)
        self._fill_in_limits(schemas)
        if not self._sends_webhooks:
            schemas["JobRequest"]["properties"]["webhook_url"] = _NO_WEBHOOKS
        return whole

    def _fill_in_limits(self, schemas: Described) -> None:
        of_own_models = schemas["SpeechRequest"]["allOf"][0]["then"]
        of_own_models["properties"]["input"]["maxLength"] = self._max_input_chars
        schemas["PhonemizeRequest"]["properties"]["input"]["maxLength"] = self._max_input_chars
        schemas["JobRequest"]["properties"]["input"]["maxLength"] = self._max_job_chars


def read_contract() -> Described:
    """Reads `speech.yaml`. Each alias of YAML becomes a copy."""
    text = (files("app.api.openapi") / "speech.yaml").read_bytes()
    whole: Described = msgspec.to_builtins(yaml.load(text, _LOADER))  # noqa: S506  Both loaders are safe ones.
    return whole


def _fill_in_voices(schemas: Described, catalogue: Catalogue) -> None:
    """Fills in the names of the voices. An alias of a blend cannot be part of another blend."""
    single = [alias for alias, name in catalogue.aliases.items() if name in catalogue.voices]
    schemas["VoiceName"]["enum"] = [*catalogue.aliases, *catalogue.voices]
    schemas["Blend"]["pattern"] = schemas["Blend"]["pattern"].replace(ANY_VOICE, _one_of((*single, *catalogue.voices)))


def _one_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, names))})"
