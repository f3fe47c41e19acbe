"""The end of a command with an error: one sentence on standard error, and a status that says whether a restart can help."""

import click

from app.core.errors import Misconfigured


class _Misconfiguration(click.ClickException):
    exit_code = Misconfigured.EXIT_STATUS


def ended_by(error: Exception) -> click.ClickException:
    """The exception to raise in a command so that it ends with the error's sentence; with status 78 when a restart
    cannot help.
    """
    kind = _Misconfiguration if isinstance(error, Misconfigured) else click.ClickException
    return kind(_sentence(error))


def _sentence(error: Exception) -> str:
    """The message without the error number that Python puts before the system's words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
