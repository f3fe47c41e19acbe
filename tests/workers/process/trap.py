"""A module that no worker may ever import. `test_slot` names it in a job that is not one of Koe's tasks."""


def spring(*args: object) -> None:
    """Must never be called."""
