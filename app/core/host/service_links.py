"""Environment variables that Kubernetes sets for each Service; they look like settings if the name of the Service begins with
`koe`.

A Service `koe-api` gives every pod of its namespace `KOE_API_SERVICE_HOST`, `KOE_API_PORT=tcp://10.0.0.5:8000` and the like. A
Service `koe` gives `KOE_PORT=tcp://…`, which is the name of a setting. `enableServiceLinks: false` removes them.
"""

import re
from collections.abc import Mapping
from typing import Final

_NAME: Final = re.compile(
    r"KOE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_ADDRESS_NAME: Final = re.compile(r"KOE_(?:\w+_)?PORT")
_ADDRESS: Final = re.compile(r"(?:tcp|udp|sctp)://\S*", re.IGNORECASE)


def service_links(environ: Mapping[str, str]) -> list[str]:
    """The names in `environ` that Kubernetes set for a Service, sorted."""
    return sorted(name for name, value in environ.items() if _is_link(name, value))


def _is_link(name: str, value: str) -> bool:
    if _NAME.fullmatch(name):
        return True
    return _ADDRESS_NAME.fullmatch(name) is not None and _ADDRESS.fullmatch(value.strip()) is not None
