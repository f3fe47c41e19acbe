"""A warning about Kubernetes' names for Services, for the processes that serve.

Why apart from `service_links`: every command reads the settings, and few write a log.
"""

from collections.abc import Mapping
from typing import Final

import structlog

from app.core.host.service_links import service_links

log: Final = structlog.get_logger()


def warn_of_service_links(environ: Mapping[str, str]) -> None:
    """Logs the names that are ignored, if there are any."""
    names = service_links(environ)
    if names:
        remedy = "They are Kubernetes' names for Services, and no settings; `enableServiceLinks: false` ends them."
        log.info("service_links_passed_over", names=names, remedy=remedy)
