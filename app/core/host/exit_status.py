"""How a command of Koe's ends on an error: one sentence on standard error, and a status that says whether to start it again."""

import click

from app.core.errors import Misconfigured


class _Misconfiguration(click.ClickException):
    exit_code = Misconfigured.EXIT_STATUS


def ended_by(error: Exception) -> click.ClickException:
    """What to raise in a command so that it ends with the error's sentence; with 78 where starting it again is in vain."""
    kind = _Misconfiguration if isinstance(error, Misconfigured) else click.ClickException
    return kind(_sentence(error))


def _sentence(error: Exception) -> str:
    """Without the number that Python puts before the system's words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
