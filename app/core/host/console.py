"""A console of Rich that prints text as it is.

Why Rich's markup is not used: text such as `pip install 'koe[worker]'` contains what Rich takes for a style and removes. Styled
text is assembled from pieces instead.
"""

from typing import IO

from rich.console import Console


def plain_console(file: IO[str] | None = None, *, is_for_errors: bool = False) -> Console:
    """A Rich console that does not interpret markup or emoji codes, and does not highlight."""
    return Console(file=file, stderr=is_for_errors, markup=False, emoji=False, highlight=False)
