"""Reads the Lua scripts that Redis runs: files in a folder `scripts` next to the modules that use them.

Why files: editors recognise them as Lua, and a header of one form says what a script takes and returns. Scripts use the key
names of `app.core.storage.keys`.

Why Lua: each script makes one decision about several keys in one atomic step, while many processes do the same.
"""

from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = "scripts"
_SHARED: Final = "functions.lua"
_USES: Final = f"-- Uses: {_SHARED}\n"


@cache
def load_script(module_file: str, name: str) -> str:
    """The text of the script `name`, preceded by the shared functions if its header names their file.

    `module_file` is the `__file__` of the module that uses it. Raises OSError when there is no such script.
    """
    folder = Path(module_file).parent / FOLDER
    script = (folder / f"{name}.lua").read_text("utf-8")
    shared = (folder / _SHARED).read_text("utf-8") if _USES in script else ""
    return shared + script
