"""What the commands share: the settings, and errors as one line."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from app.core.host.exit_status import ended_by
from app.core.settings import Settings, read_settings

_P = ParamSpec("_P")


def with_settings(
    *errors: type[Exception],
) -> Callable[[Callable[Concatenate[Settings, _P], None]], Callable[_P, None]]:
    """Passes the settings to the command. Prints an error in the settings, or one of `errors`, as one line."""
    shown: tuple[type[Exception], ...] = (ValueError, OSError, *errors)

    def decorate(command: Callable[Concatenate[Settings, _P], None]) -> Callable[_P, None]:
        @wraps(command)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
            try:
                command(read_settings(os.environ), *args, **kwargs)
            except BrokenPipeError:  # `koe voices | head`: click ends the command without a word
                raise
            except shown as error:
                raise ended_by(error) from error

        return run

    return decorate


def override(settings: Settings, **given: Any) -> Settings:
    """The settings with the fields that are not None in `given`."""
    fields = {field: getattr(settings, field) for field in Settings.__struct_fields__}
    return Settings(**(fields | {name: value for name, value in given.items() if value is not None}))
