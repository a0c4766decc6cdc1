"""A request that was prepared from the contract once, and needs only the values of its placeholders to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.engine.exchange_types import Address, Request, Validator
from loadtests.engine.recorder import OperationSamples
from loadtests.request_factory.data_sources import NextValue
from loadtests.request_factory.deployed_requests import Deploy
from loadtests.request_factory.request_template import RequestTemplate
from loadtests.validation.http_validator import Check
from loadtests.validation.validators import Validators


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request with placeholders, each filled with the caller's value of that name, or with a function's next value.

    `constant` is the finished request where there are no placeholders, so that it is always the same. `deploy`
    translates each request for a target that departs from its document, where that needs the values.
    """

    template: RequestTemplate
    placeholders: tuple[tuple[str, NextValue | None], ...]
    samples: OperationSamples
    address: Address
    validator: Validator
    validators: Validators
    is_head: bool
    constant: Request | None
    rpc_name: str = ""
    deploy: Deploy | None = None

    def request(self, values: Mapping[str, Any], check: Check | None) -> Request:
        """The request with these values; its response is validated, then checked."""
        if check is None:
            if self.constant is not None:
                return self.constant
            validator = self.validator
        else:
            validator = self.validators.with_check(self.validator, self.samples.operation, check)
        payload = self.template.fill(
            [values[name] if next_value is None else next_value() for name, next_value in self.placeholders]
        )
        if self.deploy is not None:
            payload = self.deploy(payload)
        return Request(self.samples, payload, self.address, validator, is_head=self.is_head, rpc_name=self.rpc_name)
