"""The log: structlog events with fields, one line each; messages of libraries take the same form."""

import logging
import sys
import traceback
from typing import Any, Literal

import structlog
from structlog.typing import Processor

_QUIET = {"rq": logging.WARNING, "uvicorn.access": logging.WARNING, "uvicorn.error": logging.WARNING, "httpx": logging.WARNING}


def configure_logs(log_format: Literal["auto", "text", "json"]) -> None:
    """Sets up the process's log on standard error; `auto` is text on a terminal and JSON elsewhere."""
    as_text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_last(as_text)))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)


def describe(exception: BaseException) -> dict[str, Any]:
    """The log fields of an unexpected exception: its class, the class of its cause, and its frames.

    Neither its message nor its traceback is logged, because their lines may contain a user's text.
    """
    frames = traceback.extract_tb(exception.__traceback__)
    return {
        "error": type(exception).__qualname__,
        "cause": type(exception.__cause__).__qualname__ if exception.__cause__ else None,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _last(as_text: bool) -> list[Processor]:
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_text:
        # A plain traceback: structlog's default shows the variables of every frame, which contain users' texts.
        plain = structlog.dev.plain_traceback
        return [remove_meta, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [remove_meta, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
