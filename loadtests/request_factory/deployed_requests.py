"""Translates the engine's requests and responses at a target that departs from its document.

Rule: a request is translated when it is prepared, so that it costs nothing when it is sent; only one whose translation
depends on its values is translated each time. A response is translated before it is validated.
"""

from __future__ import annotations

from collections.abc import Callable

from contracts import exchange
from contracts.exchange import FRAME
from fixtures.departures.translation import Inexpressible, Translation
from fixtures.http1 import request_writer
from fixtures.target_api import MissingPrecondition
from loadtests.engine.exchange_types import Request, Response, Validator
from loadtests.request_factory.request_template import RequestTemplate

WRITTEN = ("host", "content-length")  # headers that the request writer adds
STRUCTURED = frozenset({"body", "data", "parameters"})  # names of values that have members of their own

Deploy = Callable[[bytes], bytes]  # the bytes of a documented request as the target wants them


class NotExpressible(MissingPrecondition):
    """The target's departures leave no way to express a request."""


def deploy_http(translation: Translation, origin: str) -> Deploy:
    """Translates the bytes of HTTP requests; `origin` is the target's scheme and host. Raises NotExpressible."""

    def deploy(payload: bytes) -> bytes:
        try:
            return request_writer.encode_request(translation.request(parse_payload(origin, payload)))
        except Inexpressible as error:
            raise NotExpressible(str(error)) from None

    return deploy


def deploy_message(translation: Translation, url: str) -> Deploy:
    """Translates messages to that URL. Raises NotExpressible."""

    def deploy(payload: bytes) -> bytes:
        try:
            return translation.request(exchange.Request(FRAME, url, (), payload)).body
        except Inexpressible as error:
            raise NotExpressible(str(error)) from None

    return deploy


def parse_payload(origin: str, payload: bytes) -> exchange.Request:
    """The request in the bytes of one, without the headers that are written anew."""
    head, _, body = payload.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = line.partition(" ")
    fields = tuple((name, value) for name, _, value in (text.partition(": ") for text in lines))
    headers = tuple(field for field in fields if field[0].lower() not in WRITTEN)
    return exchange.Request(method, f"{origin}{rest.rpartition(' ')[0]}", headers, body)


def depends_on_values(translation: Translation, template: RequestTemplate) -> bool:
    """Whether requests of that template can be translated only when their values are known."""
    if not template.placeholders:
        return False
    return translation.needs_values or any(it in STRUCTURED for it in template.placeholders if isinstance(it, str))


def documented_validator(translation: Translation, validator: Validator) -> Validator:
    """That validator, to which each response comes as the document has it."""

    def validate(request: Request, response: Response) -> str | None:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers)
        received = exchange.Response(response.status, headers, response.body)
        documented = translation.response(received)
        if documented is not received:
            response.received = (response.status, response.headers, response.body)
            response.status, response.body = documented.status, documented.body
            response.headers = [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in documented.headers
            ]
        return validator(request, response)

    return validate
