"""A request that was prepared from the contract once, and needs only the values of its placeholders to be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.engine.exchange_types import DEFAULT_TIMEOUT, Address, Request, Validator
from loadtests.engine.recorder import OperationSamples
from loadtests.request_factory.data_sources import NextValue
from loadtests.request_factory.deployed_requests import Deploy
from loadtests.request_factory.request_template import Encoder, RequestTemplate
from loadtests.validation.http_validator import Check
from loadtests.validation.validators import Validators

Fill = Callable[[Mapping[str, Any]], bytes]


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request with placeholders, each filled with the caller's value of that name, or with a function's next value.

    fill: makes the bytes of the request from the caller's values, see `filler`. constant: the finished request where
    there are no placeholders, so that it is always the same. deploy: translates each request for a target that departs
    from its document, where that needs the values.
    """

    fill: Fill
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
        payload = self.fill(values)
        if self.deploy is not None:
            payload = self.deploy(payload)
        # by position: keywords cost as much as the look-up of the prepared request
        return Request(self.samples, payload, self.address, validator, DEFAULT_TIMEOUT, self.is_head, self.rpc_name)


def filler(template: RequestTemplate, sources: Sequence[tuple[str, NextValue | None]]) -> Fill:
    """A function that makes the request of the caller's values, by name.

    sources: for each placeholder, the name of the caller's value, or the function that returns its next value.
    """
    if template.body is None and len(sources) == 1:
        return _single_filler(template.head, template.encoders[0], *sources[0])
    return lambda values: template.fill(
        [values[name] if next_value is None else next_value() for name, next_value in sources]
    )


def _single_filler(head: bytes, encode: Encoder, name: str, next_value: NextValue | None) -> Fill:
    """The same for one placeholder, as most requests have: without lists."""
    if next_value is not None:
        return lambda _: head % encode(next_value())
    return lambda values: head % encode(values[name])
