"""What the schema at `/schema` says of `POST /v1/audio/phonemize`, beyond what Litestar reads from its types."""

from dataclasses import dataclass
from typing import Final

from litestar.openapi.spec import Operation, RequestBody

from app.api.openapi.contract import error_responses, json_of, without_errors

_ERRORS: Final = {
    "400": "The request is at fault.",
    "404": "No such model.",
    "413": "The body is too large.",
    "429": "Too much at once.",
    "503": "Nobody is there to answer, or the engine that was named is not loaded.",
    "504": "Nobody came to answer in time.",
}


@dataclass
class PhonemizeOperation(Operation):
    """`POST /v1/audio/phonemize`."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(required=True, description="At most 1 MiB.", content=json_of("PhonemizeRequest"))
        self.responses = without_errors(self) | error_responses(_ERRORS)
