"""Creates the engine's requests from a contract: `factory.request_for("listTasks", limit=25)`.

Rule: an operation with the same names of values is prepared once; from then on a request costs a look-up in a
dictionary and a few filled placeholders.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from time import perf_counter_ns
from typing import Any
from urllib.parse import quote, urlsplit

from contracts.errors import ContractError, UsageError
from contracts.exchange import Request as HttpRequest
from contracts.judge.refusal_judge import InvalidCase, refusal_rule
from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.http1.request_writer import TARGET_CHARACTERS
from fixtures.known_variables import known_settings
from fixtures.link_header import local_link
from fixtures.targets import Target
from loadtests.engine.exchange_types import Request
from loadtests.request_factory.data_sources import Source, UniqueTexts, is_per_request, known_sources
from loadtests.request_factory.prepared_request import PreparedRequest
from loadtests.request_factory.request_preparation import RequestPreparation, SamplesOf, operation_label, permitted
from loadtests.request_factory.request_template import request_template, with_named_value
from loadtests.request_factory.round_robin import RoundRobin, repeat_forever
from loadtests.validation.http_validator import Check
from loadtests.validation.validators import Validators

EFFORT = EFFORTS["default"]  # the same as the suites', so that both read the same corpus from the disk
TOO_LARGE = "too_large"  # a kind of invalid request that would measure only the network

CacheKey = tuple[Any, ...]


class ForeignLink(ValueError):
    """A link in a response leads to another server."""


class HttpRequestFactory:
    """Creates requests of one API for one target."""

    def __init__(
        self,
        target: Target,
        samples_of: SamplesOf,
        validators: Validators,
        unique_texts: UniqueTexts,
        label_of: Callable[[Operation], tuple[str, str]] = operation_label,
        seed: int = 0,
    ) -> None:
        """samples_of: where the engine records times, by what `label_of` returns; seed: of the corpus."""
        self._corpus = corpus(target.api, EFFORT, seed)
        self.preparation = RequestPreparation(
            target, samples_of, validators, unique_texts, label_of, self._corpus.minimal
        )
        self.target = target
        self.contract = self.preparation.contract
        self.server_count = len(self.contract.document.get("servers") or [0])
        self.origin = self.preparation.origin
        self.known_values = self.preparation.known_values
        self.samples_of, self.validators, self.unique_texts = samples_of, validators, unique_texts
        self._prepared: dict[CacheKey, PreparedRequest] = {}
        self._round_robin: RoundRobin[PreparedRequest] = RoundRobin()
        self._link_heads: dict[CacheKey, tuple[str, bytes]] = {}  # target of the plain request, and its lines

    def forget_prepared(self) -> None:
        """Prepare every request anew when it is next needed, since the target's token is another one."""
        self._prepared.clear()
        self._round_robin = RoundRobin()
        self._link_heads.clear()

    def prepare(self, identifiers: Iterable[str], pause: Callable[[], None] = lambda: None) -> list[str]:
        """Prepares what takes long: the corpus of these operations, and the values that the target knows for it.

        Returns a line for each kind of value that the target does not have; requests with such a value are never
        sampled. `pause` is called at intervals, so that a worker sends its heartbeats. Raises Unreachable, and
        UsageError for a setting that is missing.
        """
        wanted = set(identifiers)
        sources: list[Source] = []
        for operation in self.contract.operations.values():
            if operation.id not in wanted:
                continue
            for cases in (self._valid_cases, self._invalid_cases):
                pause()
                for case in (self._base_case(operation), *cases(operation)):
                    sources += known_sources(case, operation.server)
            for response in operation.responses.values():
                for media in response.content.values():
                    self.contract.validator(media.get("schema", {}))  # is compiled now, not while the load runs
        return [*self.known_values.read(sources), *self._unset_variables(wanted)]

    def _unset_variables(self, identifiers: Collection[str]) -> list[str]:
        """A line for each setting that one of these operations needs and the target does not have."""
        labels = {operation.label for operation in self.contract.operations.values() if operation.id in identifiers}
        return [
            f"{self.target.api.upper()}_{name} is not set"
            for name, setting in known_settings(self.target.api).items()
            if setting.operations & labels and name not in self.target.settings
        ]

    def request_for(self, identifier: str, check: Check | None = None, server: int = 0, **values: Any) -> Request:
        """The plain valid request of that operation with these values, named as `request_template` says.

        Raises UsageError for an unknown operation or name.
        """
        prepared = self._prepared.get((identifier, server, *values))
        if prepared is None:
            operation = self._operation(identifier, server)
            prepared = self.preparation.prepare(operation, self._base_case(operation), tuple(values))
            self._prepared[(identifier, server, *values)] = prepared
        return prepared.request(values, check)

    def sampled_request(self, identifier: str, check: Check | None = None, server: int = 0, **values: Any) -> Request:
        """The next valid request of the corpus with these values put in: documented, boundary or generated."""
        return self._next_prepared(self._valid_cases, identifier, server, tuple(values)).request(values, check)

    def invalid_request(self, identifier: str, check: Check | None = None, server: int = 0, **values: Any) -> Request:
        """The next request that is invalid in one place, and whose refusal the contract describes.

        `values` are put in elsewhere: a case that is invalid in one of them is left out.
        """
        return self._next_prepared(self._invalid_cases, identifier, server, tuple(values)).request(values, check)

    def refused_request(
        self, identifier: str, kind: str, name: str, check: Check | None = None, server: int = 0, **values: Any
    ) -> Request:
        """The plain request with these values, which must be refused for that kind of error in that parameter.

        An example is a request for a record that the journey has deleted.
        """
        key = (identifier, server, kind, name, *values)
        prepared = self._prepared.get(key)
        if prepared is None:
            operation = self._operation(identifier, server)
            parameter = next((parameter for parameter in operation.parameters if parameter.name == name), None)
            if parameter is None:
                raise UsageError(f"{operation} has no parameter {name!r}; expected {_parameter_names(operation)}")
            invalid_case = InvalidCase(kind, parameter.location, name, parameter.refusals)
            case = replace(self._base_case(operation), invalid_case=invalid_case)
            prepared = self._prepared[key] = self.preparation.prepare(operation, case, tuple(values))
        return prepared.request(values, check)

    def contested_request(self, identifier: str, check: Check, server: int = 0, **values: Any) -> Request:
        """A valid request that may also be refused, because another one may have been first.

        Only the form of its response is validated; `check` says what it means.
        """
        key = (identifier, server, "contested", *values)
        prepared = self._prepared.get(key)
        if prepared is None:
            operation = self._operation(identifier, server)
            invalid_case = InvalidCase("contested", rules={"contested": {"unstated": ""}})
            case = replace(self._base_case(operation), invalid_case=invalid_case)
            prepared = self._prepared[key] = self.preparation.prepare(operation, case, tuple(values), suffix="")
        return prepared.request(values, check)

    def link_request(self, url: str, identifier: str, check: Check | None = None, server: int = 0) -> Request:
        """A GET of a link out of a response, counted as that operation.

        Raises ForeignLink for a link to another server: it is not followed, and counted as a violation.
        """
        prepared = self._prepared.get((identifier, server)) or self._prepared_plain(identifier, server)
        head = self._link_heads.get((identifier, server))
        if head is None:
            payload = b"" if prepared.constant is None else self._plain_payload(identifier, server)
            line, _, rest = payload.partition(b"\r\n")
            head = self._link_heads[identifier, server] = b" ".join(line.split(b" ")[1:-1]).decode(), rest
        source, rest = head
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin or not parts.path.startswith("/"):
            parts = urlsplit(self._local_link(source, url, prepared, self._operation(identifier, server)))
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        self.preparation.api.require_permission(HttpRequest("GET", f"{self.origin}{target}"))
        line = f"GET {target if target.isascii() else quote(target, safe=TARGET_CHARACTERS)} HTTP/1.1\r\n".encode()
        payload = line + rest
        if self.preparation.deploy:
            payload = self.preparation.deploy(payload)
        validator = (
            self.validators.with_check(prepared.validator, prepared.samples.operation, check)
            if check
            else prepared.validator
        )
        return Request(prepared.samples, payload, self.preparation.address, validator)

    def _plain_payload(self, identifier: str, server: int) -> bytes:
        """The bytes of the plain request as the document has it."""
        operation, target = self._operation(identifier, server), self.target
        case = self._base_case(operation)
        return request_template(self.contract, operation, case, target.url, target.settings).fill(())

    def _local_link(self, source: str, url: str, prepared: PreparedRequest, operation: Operation) -> str:
        """The URL of a link in the response to a request with the target `source` (RFC 3986 section 5)."""
        local = local_link(f"{self.origin}{source}", url)
        if local is None:
            now = perf_counter_ns()
            prepared.samples.record_failure(operation.clauses[0], now, now, now)
            raise ForeignLink(f"expected a link to {self.origin}, got {url[:200]}")
        return local

    def _operation(self, identifier: str, server: int) -> Operation:
        try:
            return self.contract.find(identifier, server)
        except ContractError:
            known = sorted({operation.id for operation in self.contract.operations.values()})
            raise UsageError(
                f"{self.target.api} has no operation {identifier!r}; expected one of {', '.join(known)}"
            ) from None

    def _prepared_plain(self, identifier: str, server: int) -> PreparedRequest:
        self.request_for(identifier, server=server)
        return self._prepared[identifier, server]

    def _next_prepared(
        self, cases: Callable[[Operation], list[Case]], identifier: str, server: int, names: tuple[str, ...]
    ) -> PreparedRequest:
        def begin() -> Iterator[PreparedRequest]:
            operation = self._operation(identifier, server)
            usable = (case for case in cases(operation) if self._is_usable(operation, case, names))
            prepared = permitted(partial(self.preparation.prepare, operation, case, names) for case in usable)
            return repeat_forever(
                prepared, lambda: self.preparation.prepare(operation, self._base_case(operation), names)
            )

        return self._round_robin.next((cases.__name__, identifier, server, *names), begin)

    def _is_usable(self, operation: Operation, case: Case, names: tuple[str, ...]) -> bool:
        """Whether all values of the case are known, and what is invalid in it is not one of the named ones."""
        invalid = case.invalid_case
        if invalid and (invalid.name in names or (invalid.location == "body" and "body" in names)):
            return False
        for name in names:
            if name not in self.target.settings:
                case = with_named_value(self.contract, operation, case, name, "given")
        sources = known_sources(case, operation.server)
        return all(not is_per_request(source) and self.known_values.has(source) for source in sources)

    def _base_case(self, operation: Operation) -> Case:
        return self._corpus.minimal(operation)

    def _valid_cases(self, operation: Operation) -> list[Case]:
        return [
            *self._corpus.examples(operation),
            *self._corpus.boundaries(operation),
            *self._corpus.valid(operation),
        ]

    def _invalid_cases(self, operation: Operation) -> list[Case]:
        def is_described(case: Case) -> bool:
            assert case.invalid_case is not None
            rule = refusal_rule(self.contract, operation, case.invalid_case)
            return "clause" in rule and case.invalid_case.kind != TOO_LARGE

        return [case for case in invalid_requests(self._corpus, operation) if is_described(case)]


def _parameter_names(operation: Operation) -> str:
    return ", ".join(parameter.name for parameter in operation.parameters) or "none"
