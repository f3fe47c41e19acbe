"""Lets a package be imported without one of its dependencies, which Koe does not use and which would take much memory."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def stand_in(package: str, **names: object) -> Iterator[None]:
    """Within it, `import <package>` gets a module with `names` only. Afterwards everybody can import the package."""
    before = sys.modules.get(package)
    sys.modules[package] = module = ModuleType(package)
    vars(module).update(names)
    try:
        yield
    finally:
        del sys.modules[package]
        if before is not None:
            sys.modules[package] = before
