"""The commands that messages name as remedies, for each way of installing Koe.

Why one table: a message says what is missing, and this table says what repairs it in a clone, a wheel and an image.
"""

import shlex
from enum import StrEnum
from typing import Final

from app.core.host.installation import Installation, Kind, installation


class _Remedy(StrEnum):
    KOE = "koe"
    """Calls a command of `koe`; the argument is the command with its options."""
    EXTRA = "extra"
    """Installs what an extra of Koe brings; the argument is its name."""
    PACKAGE = "package"
    """Installs a package again; the argument is its name."""


_PINNED_WHEEL: Final = '-c "$({koe} constraints --path)"'
_LINES: Final[dict[_Remedy, dict[Kind, str]]] = {
    _Remedy.KOE: {
        Kind.CLONE: "`{koe} {what}`",
        Kind.WHEEL: "`{koe} {what}`",
        Kind.IMAGE: "`koe {what}` in a container of this image",
    },
    _Remedy.EXTRA: {
        Kind.CLONE: "`{pip} -c {constraints} -e {source}`",
        Kind.WHEEL: f"`{{pip}} {_PINNED_WHEEL} 'koe[{{what}}]'`",
        Kind.IMAGE: "`docker build` again, with {what} among the extras of the image",
    },
    _Remedy.PACKAGE: {
        Kind.CLONE: "`{pip} -c {constraints} --force-reinstall --no-deps {what}`",
        Kind.WHEEL: f"`{{pip}} {_PINNED_WHEEL} --force-reinstall --no-deps {{what}}`",
        Kind.IMAGE: "`docker build` again, without its cache",
    },
}
"""What stands after "Run" in a sentence."""


def koe(command: str, where: Installation | None = None) -> str:
    """A command of `koe`, for a sentence: "`koe fetch`". `command` may have options."""
    return _line(_Remedy.KOE, command, where)


def install(extra: str, where: Installation | None = None) -> str:
    """What installs the packages of an extra, for a sentence."""
    return _line(_Remedy.EXTRA, extra, where)


def package(name: str, where: Installation | None = None) -> str:
    """What installs a package again, for a sentence."""
    return _line(_Remedy.PACKAGE, name, where)


def bare(line: str) -> str:
    """The same without backticks, for a line of its own."""
    return line.replace("`", "")


def _line(remedy: _Remedy, what: str, where: Installation | None) -> str:
    here = where or installation()
    constraints = shlex.quote(str(here.root / "deploy" / "constraints.txt"))
    source = shlex.quote(f"{here.root}[{what}]")
    return _LINES[remedy][here.kind].format(koe=here.koe, pip=here.pip, constraints=constraints, source=source, what=what)
