"""What journeys use: requests to the host of the run, tags, steps and rows of test data."""

from __future__ import annotations

import os
from typing import Any

from locust import User
from locust.env import Environment
from locust.exception import StopTest

from fixtures import network_guard
from loadtests.distributed.run_state import RunState
from loadtests.engine.exchange_types import Address, Request
from loadtests.engine.recorder import Recorder
from loadtests.engine.virtual_user import VirtualUser
from loadtests.targets.load_route import load_route
from loadtests.user.feeder import UNIQUE, Feeder, Row
from loadtests.user.http_session import HttpSession
from loadtests.user.step import Step
from reports.load.operation_statistics import AS_STEP


class RequestingUser(User):
    """Base of the users that run journeys, which set the attributes below."""

    __slots__ = (
        "_address",
        "_journey_recorder",
        "_session",
        "_virtual_user",
        "recorder",
        "run_state",
    )  # a dict is 1 kB larger

    abstract = True
    run_state: RunState
    recorder: Recorder
    _journey_recorder: Recorder
    _virtual_user: VirtualUser
    _session: HttpSession | None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._session = None
        self._address: Address | None = None

    @property
    def session(self) -> HttpSession:
        """This user's requests to `host`, and its cookies there. Raises StopTest for a host that is no URL, or none."""
        if self._session is None:
            address = self.address
            if address.scheme not in ("http", "https"):
                raise self._no_host(f"expected a URL that begins with http:// or https://, got {self.host}")
            self._session = HttpSession(address, self.recorder)
        return self._session

    @property
    def address(self) -> Address:
        """Where `host` is, also if it is a websocket or an engine. Raises StopTest for one that is no URL, or none."""
        if self._address is None:
            try:
                self._address = Address.from_url(self.host or "", load_route(os.environ))
                network_guard.permit(*self._address.next_hop)
            except ValueError as error:
                raise self._no_host(error) from None
        return self._address

    def _no_host(self, reason: object) -> StopTest:
        return StopTest(f"{type(self).__name__} needs a host: pass --host or set it in the class: {reason}")

    def request(self, method: str, path: str, **options: Any) -> Request:
        """An HTTP request to `host`, to be yielded. Its options, all of them keywords:

        name: of the operation in the figures, instead of method and path. headers: a mapping. body: bytes; json: any
        value that JSON has; form: names and values; files: by the name of the field, each bytes or (file name, bytes,
        media type), with the form in a multipart body. timeout: seconds until the response must be complete (30). tags:
        under which the request is counted as well. redirects: how many are followed within the scheme, host and port
        of `host` (10), each counted as "NAME (redirect)"; with 0 the journey gets the redirect itself. checks: by
        name, functions of the response that return whether it is good. validator: decides in place of the rule that a
        status below 400 is good; called with request and response, it returns None or the reason of a failure.

        The user's cookies are those that the host has set for it so far (`session.cookies`). `path` is with query,
        percent-encoded. Raises ValueError or TypeError for what is no request.
        """
        return (self._session or self.session).request(method, path, **options)

    def tagged(self, request: Request, *tags: str) -> Request:
        """The same request, which is counted under these tags as well."""
        samples = request.samples
        return request.with_samples(self.recorder.samples_of(samples.operation, samples.transport, tags))

    def step(self, name: str) -> Step:
        """Times what is yielded in it as one: `with self.step("checkout"):`. Steps of one name are counted together."""
        return Step(self._journey_recorder.samples_of(name, AS_STEP), self._virtual_user)

    def feed(self, feeder: Feeder) -> Row:
        """The next row of test data. Raises StopTest when each row was used that is to be used once."""
        generator = self.run_state.generator
        rows = self.run_state.feeds.get(feeder)
        if rows is None:
            if feeder.order == UNIQUE and generator.is_late:
                raise StopTest(
                    f"{feeder.path}: expected all workers at the start, got one that joined later and"
                    " cannot know which rows are used; start the run again"
                )
            rows = self.run_state.feeds[feeder] = feeder.share(generator.index, generator.workers)
        row: Row | None = next(rows, None)
        if row is None:
            raise StopTest(
                f"{feeder.path}: expected a row that no journey has used, got none, {len(feeder.rows)} are in the file;"
                " add rows, or use another order"
            )
        return row
