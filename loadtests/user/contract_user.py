"""Users of an API with a contract: their requests are created from it, and the responses are validated by it.

```python
class Getflow(ContractUser):
    api = "getflow"

    @journey(weight=9)
    def read_all_tasks(self):
        page = yield self.request_for("listTasks", limit=25)
```

Rule: everything that takes long is done before a run starts: targets, corpus, values that the target knows. Journeys
that change something are tagged `writes`, and left out where writing is not allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from random import choice
from typing import Any, ClassVar, TypeVar

from gevent import GreenletExit
from locust.env import Environment
from locust.exception import InterruptTaskSet

from contracts.asyncapi import load_rpc_contract
from contracts.openapi import load_contract
from fixtures.corpus import corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.corpus.rpc_messages import load_messages
from fixtures.network_routes import DIRECT
from fixtures.target_api import MissingPrecondition
from fixtures.targets import Target
from fixtures.unique_texts import NAME_MARK
from loadtests.distributed.run_state import RunState
from loadtests.engine.exchange_types import Address, Request, Response, Validator
from loadtests.request_factory.data_sources import UniqueTexts
from loadtests.request_factory.http_factory import EFFORT, ForeignLink, HttpRequestFactory
from loadtests.request_factory.request_preparation import operation_label
from loadtests.request_factory.rpc_factory import RpcRequestFactory, call_label
from loadtests.targets.record_removal import open_ledger
from loadtests.user.journey_check import require_known_names
from loadtests.user.journey_user import JourneyUser
from loadtests.validation.http_validator import Check
from loadtests.validation.invariants import UniqueValues
from loadtests.validation.validators import Validators
from reports.load.shown_again import WRITES

T = TypeVar("T")
Steps = Generator[Any, Any, Any]  # a journey or a part of one: it yields requests and is resumed with their responses
__all__ = ["WRITES", "ContractUser", "Steps"]

MAIL_TIMEOUT = 15_000_000_000  # ns that a mail may take; the mailbox gives up earlier


@dataclass(frozen=True, slots=True)
class PreparedApi:
    """What a class of users shares in one run; `journeys` as Locust picks them, each as often as its weight."""

    http_factory: HttpRequestFactory
    rpc_factory: RpcRequestFactory | None
    mailbox: Address | None
    journeys: list[Any]

    def forget_requests(self) -> None:
        """Prepare every request anew when it is next needed."""
        self.http_factory.forget_prepared()
        if self.rpc_factory:
            self.rpc_factory.forget_prepared()


class ContractUser(JourneyUser):
    """A user of one API.

    operations, rpc_calls: ids of operations and labels of RPC calls that its journeys send, prepared before a run;
    reads_mail: whether its journeys read the target's mail, for which a run needs a mailbox; permessage_deflate:
    whether its websockets offer to compress messages (RFC 7692).
    """

    abstract = True
    api: ClassVar[str] = ""
    operations: ClassVar[tuple[str, ...]] = ()
    rpc_calls: ClassVar[tuple[str, ...]] = ()
    reads_mail: ClassVar[bool] = False
    permessage_deflate: ClassVar[bool] = False

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        prepared: PreparedApi | None = self.run_state.prepared.get(type(self))
        if prepared is None:  # the run is being abandoned: this ends Locust's greenlet that spawns users, silently
            raise GreenletExit
        self.http_factory = prepared.http_factory
        self._rpc_factory = prepared.rpc_factory
        self._mailbox = prepared.mailbox
        self.tasks = prepared.journeys
        self.server = self._number % self.http_factory.server_count  # each user keeps to one of the document's servers

    @property
    def url(self) -> str:
        """Where the API is; links in its responses may lead nowhere else."""
        return self.http_factory.target.url

    @property
    def rpc_factory(self) -> RpcRequestFactory:
        """Creates requests for RPC calls. Raises LookupError for an API without an AsyncAPI document."""
        if self._rpc_factory is None:
            raise LookupError(f"{self.api} has no asyncapi.yaml")
        return self._rpc_factory

    def request_for(self, identifier: str, check: Check | None = None, **values: Any) -> Request:
        """A plain valid request for that operation, as `HttpRequestFactory.request_for` creates it."""
        try:  # without the function that the others use: most requests are made here
            return self.http_factory.request_for(identifier, check, self.server, **values)
        except MissingPrecondition:
            raise _end_of_journey() from None

    def sampled_request(self, identifier: str, check: Check | None = None, **values: Any) -> Request:
        """The next valid request of the corpus, as `HttpRequestFactory.sampled_request` creates it."""
        return _or_end_journey(lambda: self.http_factory.sampled_request(identifier, check, self.server, **values))

    def invalid_request(self, identifier: str, check: Check | None = None, **values: Any) -> Request:
        """The next invalid request of the corpus, as `HttpRequestFactory.invalid_request` creates it."""
        return _or_end_journey(lambda: self.http_factory.invalid_request(identifier, check, self.server, **values))

    def refused_request(
        self, identifier: str, kind: str, name: str, check: Check | None = None, **values: Any
    ) -> Request:
        """A request that is refused for that kind of error, as `HttpRequestFactory.refused_request` creates it."""
        return _or_end_journey(
            lambda: self.http_factory.refused_request(identifier, kind, name, check, self.server, **values)
        )

    def contested_request(self, identifier: str, check: Check, **values: Any) -> Request:
        """A valid request that loses if another is first, as `HttpRequestFactory.contested_request` creates it."""
        return _or_end_journey(lambda: self.http_factory.contested_request(identifier, check, self.server, **values))

    def link_request(self, url: str, identifier: str, check: Check | None = None) -> Request:
        """A GET of a link out of a response, as `HttpRequestFactory.link_request` creates it.

        A link to another server ends the journey.
        """
        try:
            return self.http_factory.link_request(url, identifier, check, self.server)
        except ForeignLink:
            raise _end_of_journey() from None

    def known_value(self, identifier: str, pointer: str) -> Any:
        """One of the values that the target has at that JSON pointer of that operation's response."""
        source = {"operation": identifier, "pointer": pointer}
        return _or_end_journey(lambda: choice(self.http_factory.known_values.values(source)))

    def rpc_request(self, transport: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """A plain valid RPC call, as `RpcRequestFactory.request_for` creates it."""
        try:
            return self.rpc_factory.request_for(transport, label, check, **parts)
        except MissingPrecondition:
            raise _end_of_journey() from None

    def sampled_rpc_request(self, transport: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The next valid RPC call of the corpus, as `RpcRequestFactory.sampled_request` creates it."""
        return _or_end_journey(lambda: self.rpc_factory.sampled_request(transport, label, check, **parts))

    def invalid_rpc_request(self, transport: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The next invalid RPC call of the corpus, as `RpcRequestFactory.invalid_request` creates it."""
        return _or_end_journey(lambda: self.rpc_factory.invalid_request(transport, label, check, **parts))

    def unique_values(self, kind: str, clause: str) -> UniqueValues:
        """A set of values, none of which the target may give out twice in this run, whichever worker receives it."""
        return self.run_state.ledger.unique_values(kind, clause)

    def unique_text(self) -> str:
        """A text of letters and digits that no other request of any run has, and by which its record is recognised."""
        return f"{NAME_MARK}{self.http_factory.unique_texts.next_text()}"

    def mail_request(self, to: str, clause: str, check: Check) -> Request:
        """A request whose response is the mail to that address, when it comes; if none does, `clause` is violated."""
        if self._mailbox is None:
            raise LookupError(f"{type(self).__name__} reads mail, but does not say so: set reads_mail = True")
        samples = self.recorder.samples_of(f"{self.api} the mail arrives", "smtp")
        payload = f"GET /{to} HTTP/1.1\r\nHost: {self._mailbox.authority}\r\n\r\n"
        validators = self.http_factory.validators
        validator = validators.with_check(_mail_validator(clause, validators), samples.operation, check)
        return Request(samples, payload.encode(), self._mailbox, validator, MAIL_TIMEOUT)

    @classmethod
    def require_valid(cls) -> None:
        """Raises UsageError for names that the contract does not know, and for weights that are no numbers."""
        super().require_valid()
        require_known_names(cls)

    @classmethod
    def generate_corpus(cls) -> None:
        """Generates the requests that the journeys choose from, unless they are on the disk: before the run's time."""
        contract, rpc_contract = load_contract(cls.api), load_rpc_contract(cls.api)
        requests = corpus(cls.api, EFFORT, 0)
        for operation in contract.operations.values():
            if operation.id in cls.operations:
                requests.boundaries(operation)
                requests.valid(operation)
                invalid_requests(requests, operation)
        for call in rpc_contract.calls.values() if rpc_contract else ():
            if call.label in cls.rpc_calls:
                messages = load_messages(cls.api, EFFORT, 0)
                messages.valid(call)
                messages.invalid(call)

    @classmethod
    def prepare(cls, state: RunState, target: Target, mail: str) -> list[str]:
        """Prepares a run against that target; returns a line for each value that the target does not have.

        mail: URL of the mailbox, "" without one. Raises UsageError, and Unreachable when the target does not respond.
        """
        state.pause()
        rpc_contract = load_rpc_contract(cls.api)
        state.pause()
        unique_texts = UniqueTexts()
        ledger = open_ledger(target, unique_texts.start)
        if ledger:
            state.record_ledgers.append(ledger)
        http_factory = HttpRequestFactory(
            target,
            state.generator.recorder.samples_of,
            state.validators,
            unique_texts,
            partial(call_label, rpc_contract) if rpc_contract else operation_label,
        )
        missing = http_factory.prepare(cls.operations, state.pause)
        rpc_factory = RpcRequestFactory(http_factory, deflate=cls.permessage_deflate) if rpc_contract else None
        if rpc_factory:
            missing += rpc_factory.prepare(cls.rpc_calls, state.pause)
        if mail:
            DIRECT.permit(mail)
        state.prepared[cls] = PreparedApi(
            http_factory,
            rpc_factory,
            Address.from_url(mail) if mail else None,
            [task for task in cls.tasks if target.writes or WRITES not in getattr(task, "locust_tag_set", ())],
        )
        return missing


def _or_end_journey(create: Callable[[], T]) -> T:
    """The result of `create`; if the target has no value for it, as was printed before the run, the journey ends."""
    try:
        return create()
    except MissingPrecondition:
        raise _end_of_journey() from None


def _end_of_journey() -> InterruptTaskSet:
    """What ends a journey without an error."""
    return InterruptTaskSet(reschedule=False)  # type: ignore[no-untyped-call]  # Locust has no types here


def _mail_validator(clause: str, validators: Validators) -> Validator:
    """The mailbox responds with another status than 200 when no mail has come in time."""

    def validate(_: Request, response: Response) -> str | None:
        if response.status == HTTPStatus.OK:
            return None
        if not validators.causes.is_accepted(clause, "", "", lambda: "no mail came"):
            return clause
        response.error = clause
        return None

    return validate
