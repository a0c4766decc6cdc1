"""Prepares one case of a contract as a request to one target: its bytes, its label and how its response is validated.

Rule: what the target's owner does not permit is not prepared. The intent of a request (operation, and what is invalid
in it) decides how its response is validated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

from contracts.errors import UsageError
from contracts.exchange import Request as HttpRequest
from contracts.judge.refusal_judge import refusal_rule
from contracts.openapi import Contract, load_contract
from contracts.operation import Operation
from contracts.reader.optional_settings import optional_settings
from fixtures.acceptance import acceptance_clause, refusal_clause
from fixtures.cases import Case, known_placeholder
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from fixtures.targets import Target
from loadtests.engine.exchange_types import Address, Request, Validator
from loadtests.engine.recorder import OperationSamples
from loadtests.request_factory.data_sources import KnownValues, NextValue, Source, UniqueTexts
from loadtests.request_factory.deployed_requests import (
    NotExpressible,
    depends_on_values,
    deploy_http,
    documented_validator,
)
from loadtests.request_factory.prepared_request import PreparedRequest, filler
from loadtests.request_factory.request_template import RequestTemplate, request_template, value_names, with_named_value
from loadtests.validation.http_validator import RequestIntent
from loadtests.validation.validators import Validators

HTTP = "http"
INVALID_SUFFIX = " (refused)"  # behind the label of an operation whose request is invalid: its times are counted apart
PLACEHOLDER_FORMAT = re.compile(rb"%(.)")  # in a template's bytes

SamplesOf = Callable[[str, str], OperationSamples]  # (operation, transport)


def operation_label(operation: Operation) -> tuple[str, str]:
    """The name and transport of an operation in the figures, unless it is an RPC call: API and label, over HTTP."""
    return str(operation), HTTP


class RequestPreparation:
    """Prepares requests of one API for one target."""

    def __init__(
        self,
        target: Target,
        samples_of: SamplesOf,
        validators: Validators,
        unique_texts: UniqueTexts,
        label_of: Callable[[Operation], tuple[str, str]],
        minimal: Callable[[Operation], Case],
    ) -> None:
        """samples_of: where the engine records times, by what `label_of` returns; minimal: the plain valid case."""
        parts = urlsplit(target.url)
        self.target = target
        self.contract: Contract = load_contract(target.api)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.address = Address.from_url(self.origin, target.route)
        self.translation = target.translation
        self.deploy = deploy_http(target.translation, self.origin) if target.translation else None
        self.api = Api(target)
        self.known_values, self.unique_texts = KnownValues(target), unique_texts
        self.samples_of, self.validators, self._label_of = samples_of, validators, label_of
        self._minimal = minimal

    def prepare(
        self, operation: Operation, case: Case, names: tuple[str, ...], suffix: str = INVALID_SUFFIX
    ) -> PreparedRequest:
        """The case as a request, with a placeholder for each of these names. `suffix`: of its label if it is invalid.

        Raises UsageError and MissingPrecondition for a missing setting, and NotPermitted.
        """
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
        deploy = self.deploy
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
            base = self._minimal(operation)
            is_open = "unstated" in refusal_rule(contract, operation, invalid)
            clause = None if is_open else refusal_clause(contract, operation, invalid, base, lambda: True)
            return RequestIntent(contract, operation, invalid, case.method or "", False, clause or "")
        known = {name.replace("-", "_") for name in value_names(contract, operation)}
        for name in [name for name in names if name.replace("-", "_") in known]:  # others are settings
            case = with_named_value(contract, operation, case, name, known_placeholder({"given": name}))
        clause = acceptance_clause(contract, operation, case, self.validators.environ)
        return RequestIntent(contract, operation, None, case.method or "", clause is None, clause or "")

    def next_value(self, source: Source) -> NextValue:
        """A function that returns the next value of that source. Raises LookupError for one that was never read."""
        if "unique" in source:
            return lambda: self.unique_texts.like(source["unique"])
        return self.known_values.round_robin(source)

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
        self.api.require_permission(HttpRequest(method, f"{self.origin}{path}", headers, content))


def permitted(prepare: Iterable[Callable[[], PreparedRequest]]) -> Iterator[PreparedRequest]:
    """The requests that these functions prepare, without those that the target's owner does not permit, and those that
    its departures leave no way to express.
    """
    for function in prepare:
        with suppress(NotPermitted, NotExpressible):
            yield function()
