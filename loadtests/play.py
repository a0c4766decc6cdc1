"""Users of the APIs: journeys whose requests are made from a contract and whose answers are judged by it.

```python
class Getflow(Plays):
    api = "getflow"

    @journey(weight=9)
    def read_all_tasks(self):
        page = yield self.call("listTasks", limit=25)
```

Rule: everything that takes long is done before a run starts: targets, corpus, values that the target knows. Journeys
that change something are tagged `writes`, and left out where that is not allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from itertools import count
from random import choice
from typing import Any, ClassVar, TypeVar

from locust.env import Environment
from locust.exception import InterruptTaskSet

from contracts.rpc import rpc
from fixtures.api import Lacking
from fixtures.targets import Target
from loadtests.calls import Calls, plainly
from loadtests.conduct import Conduct
from loadtests.engine.call import Address, Answer, Request
from loadtests.invariants import Once
from loadtests.judges import Judges
from loadtests.judging import Check
from loadtests.node import recorder
from loadtests.rpc import RpcCalls, named
from loadtests.targets import Place
from loadtests.users import Journeys
from loadtests.values import Uniques

Made = TypeVar("Made")
Steps = Generator[Any, Any, Any]  # a journey or a part of one: resumed with what it has asked for
_users = count()
WRITES = "writes"  # the tag of journeys that change something
MAIL_LATE = 15_000_000_000  # ns that a mail may take, and the mailbox's own patience with it


class Plays(Journeys):
    """A user of one API. `operations` and `labels` are what its journeys send, made ready before a run."""

    abstract = True
    api: ClassVar[str] = ""
    operations: ClassVar[tuple[str, ...]] = ()
    labels: ClassVar[tuple[str, ...]] = ()  # of remote calls
    calls: ClassVar[Calls]
    rpcs: ClassVar[RpcCalls]
    uniques: ClassVar[Uniques] = Uniques()
    _post: ClassVar[Address | None] = None
    _all_tasks: ClassVar[list[Any] | None] = None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.server = next(_users) % self.calls.servers  # each user keeps to one of the document's servers

    def call(self, identifier: str, check: Check | None = None, **values: Any) -> Request:
        """A plain valid request, as in `Calls.call`."""
        return _had(lambda: self.calls.call(identifier, check, self.server, **values))

    def drawn(self, identifier: str, check: Check | None = None, **values: Any) -> Request:
        """The next valid request of the corpus, as in `Calls.drawn`."""
        return _had(lambda: self.calls.drawn(identifier, check, self.server, **values))

    def broken(self, identifier: str, check: Check | None = None, **values: Any) -> Request:
        """The next broken request of the corpus, as in `Calls.broken`."""
        return _had(lambda: self.calls.broken(identifier, check, self.server, **values))

    def refused(self, identifier: str, kind: str, name: str, check: Check | None = None, **values: Any) -> Request:
        """A request that has to be refused for that kind of mistake at that name, as in `Calls.refused`."""
        return _had(lambda: self.calls.refused(identifier, kind, name, check, self.server, **values))

    def perhaps(self, identifier: str, check: Check, **values: Any) -> Request:
        """A valid request that may be refused since another was first, as in `Calls.perhaps`."""
        return _had(lambda: self.calls.perhaps(identifier, check, self.server, **values))

    def follow(self, url: str, identifier: str, check: Check | None = None) -> Request:
        """A GET of a link that an answer gave, as in `Calls.follow`."""
        return self.calls.follow(url, identifier, check, self.server)

    def known(self, operation: str, pointer: str) -> Any:
        """One of the values that the target has at that place of that operation's answer."""
        return _had(lambda: choice(self.calls.found.values({"operation": operation, "pointer": pointer})))

    def rpc(self, way: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """A plain valid remote call, as in `RpcCalls.call`."""
        return _had(lambda: self.rpcs.call(way, label, check, **parts))

    def drawn_rpc(self, way: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The next valid remote call of the corpus, as in `RpcCalls.drawn`."""
        return _had(lambda: self.rpcs.drawn(way, label, check, **parts))

    def broken_rpc(self, way: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The next broken remote call of the corpus, as in `RpcCalls.broken`."""
        return _had(lambda: self.rpcs.broken(way, label, check, **parts))

    def once(self, kind: str, clause: str) -> Once:
        """Values of which none may come twice, in this run, from whichever worker."""
        return Conduct.ledger.once(kind, clause)

    def unique(self) -> str:
        """A text that no other request of any run has."""
        return self.uniques.text()

    def mail(self, to: str, check: Check) -> Request:
        """The mail to that address: the request is answered when it is there, and then checked."""
        assert self._post is not None, "only an API that mails has a mailbox"
        slot = recorder.slot("the mail arrives", "smtp")
        path = f"GET /{to} HTTP/1.1\r\nHost: {self._post.authority}\r\n\r\n"
        judge = self.calls.judges.checked(_mailed, slot.operation, check)
        return Request(slot, path.encode(), self._post, judge, MAIL_LATE)

    @classmethod
    def prepare(cls, where: Target, judges: Judges, place: Place) -> list[str]:
        """Makes everything ready for a run against that target; gives a line for each thing that it lacks."""
        document = rpc(cls.api)
        cls.calls = Calls(where, recorder.slot, judges, cls.uniques, partial(named, document) if document else plainly)
        cls._post = Address.of(place.mail) if place.mail else None
        lacking = cls.calls.prepare(cls.operations)
        if document:
            cls.rpcs = RpcCalls(cls.calls)
            lacking += cls.rpcs.prepare(cls.labels)
        cls._all_tasks = cls._all_tasks or list(cls.tasks)
        cls.tasks = [one for one in cls._all_tasks if where.writes or WRITES not in getattr(one, "locust_tag_set", ())]
        return lacking


def _had(make: Callable[[], Made]) -> Made:
    """What is made; a journey ends where the target lacks what it needs, which was told when the run began."""
    try:
        return make()
    except Lacking:
        raise InterruptTaskSet(reschedule=False) from None  # type: ignore[no-untyped-call]  # Locust has no types here


def _mailed(_: Request, answer: Answer) -> str | None:
    return None if answer.status == 200 else "FLOWBACK-REG-3"
