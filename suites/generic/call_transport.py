"""An API whose calls are sent over one transport, so that the checks of its operations apply to frames as well.

Rule: a frame has neither status nor media type, so the response to one gets those of a success over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contracts.asyncapi import Call
from contracts.exchange import Exchange
from contracts.operation import Operation
from fixtures.cases import Case, fill_placeholders
from fixtures.record_kinds import record_kinds
from fixtures.target_api import Api
from fixtures.transports import Transport
from fixtures.transports.http_transport import HEADERS
from fixtures.write_check import call_method
from suites.generic.record_writes import CHANGES, WRITES, RecordWrite

SWITCHING_PROTOCOLS = 101
JSON_HEADERS = (("content-type", "application/json"),)


class CallApi(Api):
    """The API at the same target, with the same state; `send` uses the transport for operations that are calls."""

    def __init__(self, api: Api, transport: Transport, endpoint: str) -> None:
        self.__dict__.update(api.__dict__)
        self._api, self._transport, self._endpoint = api, transport, endpoint

    def send(self, operation: Operation, case: Case) -> Exchange:
        """Sends a case as a call. Raises what `Api.send` and `Transport.call` do."""
        method = call_method(operation)
        if not method:
            return self._api.send(operation, case)
        parts = fill_placeholders(call_parts(case), self.known_value)
        exchange = self._transport.call(self._endpoint, method, **parts, credentials="token")
        if exchange.response.status != SWITCHING_PROTOCOLS:
            return exchange
        shown = replace(exchange, response=replace(exchange.response, status=200, headers=JSON_HEADERS))
        if self.exchanges and self.exchanges[-1] is exchange:
            self.exchanges[-1] = shown
        return shown

    def known_value(self, source: Mapping[str, Any], server: int = 0) -> Any:
        """As `Api.known_value`: values are unique among all transports."""
        return self._api.known_value(source, server)


def call_parts(case: Case) -> dict[str, Any]:
    """The parts of a call that a case has over HTTP, but its method and its parameters."""
    headers = case.parameters["header"]
    parts = {name: headers[HEADERS[name]] for name in ("objectid", "namespace") if HEADERS[name] in headers}
    return parts if case.body is None else {**parts, "data": case.body}


def write_by_call(call: Call) -> RecordWrite | None:
    """What the call does to records, as the contract of the same API over HTTP has it; None if that says nothing."""
    for kind in record_kinds(call.api):
        for action in CHANGES:
            operation = kind.operation(action) if action in kind.definition else None
            is_kept = action in kind.definition.get("keeps", {})
            if operation and is_kept and operation.path == call.path and call_method(operation) == call.method:
                return RecordWrite(kind, action, operation)
    return None


def keeps_no_value(call: Call) -> str:
    """Why no value can be lost by the call, "" if one can."""
    write = write_by_call(call)
    if call.safe or write is None or write.action not in WRITES:
        return "it writes nothing" if call.safe else "no clause says that what it is sent is kept"
    return ""


def changes_no_record(call: Call) -> str:
    """Why nothing can be stale after the call, "" if something can."""
    if call.safe:
        return "it changes nothing"
    return "" if write_by_call(call) else "no operation shows the record that it writes"
