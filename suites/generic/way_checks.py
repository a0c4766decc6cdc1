"""Checks that what the documented way refuses is refused by every other way.

Rule: two responses of the same target are compared. A way that is refused, redirected or answered with something else
than the operation's response is no way in; so a target that does not know a way has no finding.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from contracts.exchange import Exchange, Request
from contracts.judge.http_judge import WAS_ACCEPTED, Finding, is_refusal, media_type_object
from contracts.judge.refusal_judge import refusal_rule
from contracts.operation import Operation
from fixtures.acceptance import refusal_clause
from fixtures.cases import Case, filled
from fixtures.corpus import EFFORTS, Effort
from fixtures.pace import TooManyWrongCredentials
from fixtures.resources import id_field
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from suites.generic.http_conformance import CaseFindings
from suites.generic.identity_checks import findings_after_refusals, kind_and_action
from suites.generic.request_ways import Way


@dataclass(frozen=True)
class WayChecker:
    """Sends an operation's requests by other ways; `case` is a valid one without placeholders."""

    api: Api
    operation: Operation
    case: Case

    @classmethod
    def of(cls, api: Api, operation: Operation, minimal: Case) -> WayChecker:
        """The checker whose requests have values of the target. Raises what `Api.known_value` does."""

        def resolve(source: Mapping[str, Any]) -> Any:
            return api.known_value(source, operation.server)

        return cls(api, operation, filled(minimal, resolve))

    def findings(self, cases: Sequence[Case], ways: Sequence[Way], effort: Effort) -> CaseFindings:
        """The findings of the ways, each with one of these invalid cases, by turns.

        With the least effort an operation has some of the ways, and all operations together have each of them.

        Raises MissingPrecondition when the target accepts all of them by the documented way.
        """
        refused = [case for case in cases if self._is_refused(case)]
        if not refused:
            raise MissingPrecondition("no such request is refused by the documented way")
        start = zlib.crc32(self.operation.label.encode())
        chosen = effort.some_of(list(enumerate(ways, start)), self.operation.label)
        findings: CaseFindings = []
        turns = len(refused) if effort.invalid > EFFORTS["default"].invalid else 1
        for number, way in chosen:
            for turn in range(turns):
                case = refused[(number + turn) % len(refused)]
                findings += [(finding, case) for finding in self._by(way, case)]
        return findings + findings_after_refusals(self.api, self.operation, self.case, bool(findings))

    def _is_refused(self, case: Case) -> bool:
        try:
            response = self.api.send(self.operation, case).response
        except (NotPermitted, TooManyWrongCredentials):
            return False
        return not response.error and is_refusal(self.api.contract, response)

    def _by(self, way: Way, case: Case) -> Iterator[Finding]:
        request = self.request(way, case)
        if request is None:
            return
        with suppress(NotPermitted, TooManyWrongCredentials):
            exchange = self.api.send_request(request)
            if self.is_served(exchange):
                self._remove(exchange)
                expected = f"a refusal, as by the documented way ({case.invalid_case}, sent with {way.title})"
                yield Finding(
                    self._clause(case), expected, f"{exchange.response.status}, accepted", exchange, kind=WAS_ACCEPTED
                )

    def request(self, way: Way, case: Case) -> Request | None:
        """The case's request in that way, None if it is the documented one."""
        request = way.request(self.api.render(self.operation, way.template(self.operation, case)))
        return None if request == self.api.render(self.operation, case) else request

    def is_served(self, exchange: Exchange) -> bool:
        """Whether the response is the one that the operation has for a valid request."""
        response = exchange.response
        if response.error or not 200 <= response.status < 300 or is_refusal(self.api.contract, response):
            return False
        documented = self.operation.response_for(response.status)
        if documented is None:
            return False
        is_bare = exchange.request.method == "HEAD" or response.status == 204
        return is_bare or media_type_object(documented, response) is not None

    def _clause(self, case: Case) -> str:
        """The clause by which the documented way refuses the case."""
        contract, invalid = self.api.contract, case.invalid_case
        assert invalid is not None
        clause = refusal_clause(contract, self.operation, invalid, self.case, lambda: True)
        return clause or refusal_rule(contract, self.operation, invalid).get("clause") or contract.silent["request"]

    def _remove(self, exchange: Exchange) -> None:
        """Deletes the record that the request made, if it made one and the API deletes such records."""
        of_kind = kind_and_action(self.api.contract, self.operation)
        if of_kind is None or of_kind[1] != "create" or not of_kind[0].can_be_deleted:
            return
        kind, identifier = of_kind[0], of_kind[0].record_id(exchange)
        if identifier is not None:
            place = id_field(self.api.contract, kind, "delete")
            case = Case(kind.operation("delete").label, "clean up", self.case.parameters)
            self.api.send(kind.operation("delete"), case.with_parameter(place.location, place.name, identifier))
