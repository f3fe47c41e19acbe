"""What the help of several commands has: an option for JSON, and examples."""

from typing import Final

import click

AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def examples(*lines: str) -> str:
    """The end of a command's help: examples, each on its line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
