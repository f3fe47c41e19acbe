"""A module that no worker may ever import: `test_slot` asks for it by a job that is none of Koe's."""


def spring(*args: object) -> None:
    """Would be called."""
