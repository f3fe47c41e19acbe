"""Prints the packages of `pyproject.toml` that an image needs: `requirements.py EXTRAS` with the API's own, `--only` without.

Why not `pip install .`: then each change of Koe's code would install all packages again, and a layer of their size be pulled.
"""

import sys
import tomllib
from pathlib import Path


def main(extras: str, *options: str) -> None:
    """Prints one requirement a line. `extras`: names with commas between."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    own = [] if "--only" in options else project["dependencies"]
    wanted = [name for name in extras.split(",") if name]
    lines = [*own, *(line for name in wanted for line in project["optional-dependencies"][name])]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
