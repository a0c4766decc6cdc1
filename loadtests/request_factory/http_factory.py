"""Creates the engine's requests from a contract: `factory.request_for("listTasks", limit=25)`.

Rule: an operation with the same names of values is prepared once; from then on a request costs a look-up in a
dictionary and a few filled placeholders. The intent of a request (operation, and what is invalid in it) decides how its
response is validated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import perf_counter_ns
from typing import Any
from urllib.parse import quote, urlsplit

from contracts.errors import ContractError, UsageError
from contracts.exchange import Request as HttpRequest
from contracts.judge.refusal_judge import InvalidCase, refusal_rule
from contracts.openapi import Contract, load_contract
from contracts.operation import Operation
from contracts.reader.optional_settings import optional_settings
from fixtures.acceptance import acceptance_clause, refusal_clause
from fixtures.cases import Case, known_placeholder
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.http1.request_writer import TARGET_CHARACTERS
from fixtures.known_variables import known_settings
from fixtures.link_header import local_link
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from fixtures.targets import Target
from loadtests.engine.exchange_types import Address, Request, Validator
from loadtests.engine.recorder import OperationSamples
from loadtests.request_factory.data_sources import (
    KnownValues,
    NextValue,
    Source,
    UniqueTexts,
    is_per_request,
    known_sources,
)
from loadtests.request_factory.deployed_requests import (
    NotExpressible,
    depends_on_values,
    deploy_http,
    documented_validator,
)
from loadtests.request_factory.prepared_request import PreparedRequest, filler
from loadtests.request_factory.request_template import RequestTemplate, request_template, value_names, with_named_value
from loadtests.request_factory.round_robin import RoundRobin, repeat_forever
from loadtests.validation.http_validator import Check, RequestIntent
from loadtests.validation.validators import Validators

HTTP = "http"
INVALID_SUFFIX = " (refused)"  # behind the label of an operation whose request is invalid: its times are counted apart
EFFORT = EFFORTS["default"]  # the same as the suites', so that both read the same corpus from the disk
PLACEHOLDER_FORMAT = re.compile(rb"%(.)")  # in a template's bytes
TOO_LARGE = "too_large"  # a kind of invalid request that would measure only the network

SamplesOf = Callable[[str, str], OperationSamples]  # (operation, transport)
CacheKey = tuple[Any, ...]


def operation_label(operation: Operation) -> tuple[str, str]:
    """The name and transport of an operation in the figures, unless it is an RPC call: API and label, over HTTP."""
    return str(operation), HTTP


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
        parts = urlsplit(target.url)
        self.target = target
        self.contract: Contract = load_contract(target.api)
        self.server_count = len(self.contract.document.get("servers") or [0])
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.address = Address.from_url(self.origin, target.route)
        self.translation = target.translation
        self._deploy = deploy_http(target.translation, self.origin) if target.translation else None
        self.known_values = KnownValues(target)
        self._api = Api(target)
        self.samples_of, self.validators, self._label_of = samples_of, validators, label_of
        self.unique_texts = unique_texts
        self._corpus = corpus(target.api, EFFORT, seed)
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
            prepared = self._prepare_case(operation, self._base_case(operation), tuple(values))
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
            prepared = self._prepared[key] = self._prepare_case(operation, case, tuple(values))
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
            prepared = self._prepared[key] = self._prepare_case(operation, case, tuple(values), suffix="")
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
        self._api.require_permission(HttpRequest("GET", f"{self.origin}{target}"))
        line = f"GET {target if target.isascii() else quote(target, safe=TARGET_CHARACTERS)} HTTP/1.1\r\n".encode()
        payload = self._deploy(line + rest) if self._deploy else line + rest
        validator = (
            self.validators.with_check(prepared.validator, prepared.samples.operation, check)
            if check
            else prepared.validator
        )
        return Request(prepared.samples, payload, self.address, validator)

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

    def next_value(self, source: Source) -> NextValue:
        """A function that returns the next value of that source. Raises LookupError for one that was never read."""
        if "unique" in source:
            return lambda: self.unique_texts.like(source["unique"])
        return self.known_values.round_robin(source)

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
            prepared = permitted(partial(self._prepare_case, operation, case, names) for case in usable)
            return repeat_forever(prepared, lambda: self._prepare_case(operation, self._base_case(operation), names))

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

    def _prepare_case(
        self, operation: Operation, case: Case, names: tuple[str, ...], suffix: str = INVALID_SUFFIX
    ) -> PreparedRequest:
        target = self.target
        try:
            make = partial(request_template, self.contract, operation, case, target.url, target.settings, names)
            template = make()
        except KeyError as error:
            unset = f"{target.api.upper()}_{error.args[0]} is not set"
            if error.args[0] in optional_settings(target.api):
                raise MissingPrecondition(unset) from None
            raise UsageError(f"{unset}, and {target.url} cannot be loaded without it") from None
        self._require_permission(template)
        deploy = self._deploy
        if deploy and self.translation and not depends_on_values(self.translation, template):
            template, deploy = make(deploy), None
        intent = self._intent(operation, case, names)
        name, transport = self._label_of(operation)
        samples = self.samples_of(name + (suffix if case.invalid_case else ""), transport)
        validator = self.documented(self.validators.for_request(intent))
        placeholders = tuple(
            (placeholder, None) if isinstance(placeholder, str) else ("", self.next_value(placeholder))
            for placeholder in template.placeholders
        )
        constant = (
            None
            if placeholders
            else Request(samples, template.fill(()), self.address, validator, is_head=intent.is_head)
        )
        return PreparedRequest(
            filler(template, placeholders),
            samples,
            self.address,
            validator,
            self.validators,
            intent.is_head,
            constant,
            deploy=deploy,
        )

    def documented(self, validator: Validator) -> Validator:
        """That validator, for responses of the target."""
        return documented_validator(self.translation, validator) if self.translation else validator

    def _intent(self, operation: Operation, case: Case, names: tuple[str, ...]) -> RequestIntent:
        """What a case with these values put in is meant to be, and the clause that demands its acceptance or refusal.

        A load run judges refusals at a target that accepts valid requests, so those need not be sent to find out.
        """
        contract, invalid = self.contract, case.invalid_case
        if invalid:
            base = self._base_case(operation)
            is_open = "unstated" in refusal_rule(contract, operation, invalid)
            clause = None if is_open else refusal_clause(contract, operation, invalid, base, lambda: True)
            return RequestIntent(contract, operation, invalid, case.method or "", False, clause or "")
        known = {name.replace("-", "_") for name in value_names(contract, operation)}
        for name in [name for name in names if name.replace("-", "_") in known]:  # others are settings
            case = with_named_value(contract, operation, case, name, known_placeholder({"given": name}))
        clause = acceptance_clause(contract, operation, case, self.validators.environ)
        return RequestIntent(contract, operation, None, case.method or "", clause is None, clause or "")

    def _require_permission(self, template: RequestTemplate) -> None:
        """Raises NotPermitted for a request that could be taken for a write where the target allows none."""
        if self.target.writes:
            return
        sent = PLACEHOLDER_FORMAT.sub(lambda match: b"%" if match[1] == b"%" else b"0", template.head)
        head, _, body = sent.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ", 2)
        headers = tuple((name, value) for name, _, value in (field.partition(": ") for field in fields))
        content = body if template.body is None else template.body
        self._api.require_permission(HttpRequest(method, f"{self.origin}{path}", headers, content))


def permitted(prepare: Iterable[Callable[[], PreparedRequest]]) -> Iterator[PreparedRequest]:
    """The requests that these functions prepare, without those that the target's owner does not permit, and those that
    its departures leave no way to express.
    """
    for function in prepare:
        with suppress(NotPermitted, NotExpressible):
            yield function()


def _parameter_names(operation: Operation) -> str:
    return ", ".join(parameter.name for parameter in operation.parameters) or "none"
