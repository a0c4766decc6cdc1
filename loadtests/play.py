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

import os
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack
from functools import partial
from itertools import count
from random import choice
from typing import Any, ClassVar

from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner
from locust.stats import console_logger

from contracts.rpc import rpc
from fixtures.cases import secrets
from fixtures.client import Unreachable
from fixtures.targets import Misuse, Target
from loadtests.calls import Calls, plainly
from loadtests.engine.call import Address, Answer, Request
from loadtests.invariants import Ledger, Once
from loadtests.judges import MODES, Judges, every
from loadtests.judging import Check
from loadtests.node import at_end, recorder
from loadtests.rpc import RpcCalls, named
from loadtests.targets import Place, permitted_by, settings_of, start, target
from loadtests.users import Journeys
from loadtests.values import Uniques
from loadtests.wiring import current, found, stop_test

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
    ledger: ClassVar[Ledger] = Ledger()
    _post: ClassVar[Address | None] = None
    _all_tasks: ClassVar[list[Any] | None] = None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.server = next(_users) % self.calls.servers  # each user keeps to one of the document's servers

    def call(self, identifier: str, check: Check | None = None, **values: Any) -> Request:
        """A plain valid request, as in `Calls.call`."""
        return self.calls.call(identifier, check, self.server, **values)

    def drawn(self, identifier: str, check: Check | None = None, **values: Any) -> Request:
        """The next valid request of the corpus, as in `Calls.drawn`."""
        return self.calls.drawn(identifier, check, self.server, **values)

    def broken(self, identifier: str, check: Check | None = None, **values: Any) -> Request:
        """The next broken request of the corpus, as in `Calls.broken`."""
        return self.calls.broken(identifier, check, self.server, **values)

    def refused(self, identifier: str, kind: str, name: str, check: Check | None = None, **values: Any) -> Request:
        """A request that has to be refused for that kind of mistake at that name, as in `Calls.refused`."""
        return self.calls.refused(identifier, kind, name, check, self.server, **values)

    def follow(self, url: str, identifier: str, check: Check | None = None) -> Request:
        """A GET of a link that an answer gave, as in `Calls.follow`."""
        return self.calls.follow(url, identifier, check, self.server)

    def known(self, operation: str, pointer: str) -> Any:
        """One of the values that the target has at that place of that operation's answer."""
        return choice(self.calls.found.values({"operation": operation, "pointer": pointer}))

    def rpc(self, way: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """A plain valid remote call, as in `RpcCalls.call`."""
        return self.rpcs.call(way, label, check, **parts)

    def once(self, kind: str, clause: str) -> Once:
        """Values of which none may come twice, in this run, from whichever worker."""
        return self.ledger.once(kind, clause)

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


def _mailed(_: Request, answer: Answer) -> str | None:
    return None if answer.status == 200 else "FLOWBACK-REG-3"


class Conduct:
    """What this process knows of the run: where it goes, and who judges."""

    place = Place()
    judges = Judges()
    stack = ExitStack()
    cpu_began = 0  # ns of this process's CPU time when the run began


def classes(environment: Environment) -> list[type[Plays]]:
    """The classes of this run whose users play journeys of a contract."""
    return [one for one in environment.user_classes if isinstance(one, type) and issubclass(one, Plays)]


@events.init_command_line_parser.add_listener
def _options(parser: LocustArgumentParser, **_: Any) -> None:
    parser.add_argument("--judge", default="all", metavar="MODE", env_var="LOAD_JUDGE", help=f"Which answers: {MODES}")


@events.init.add_listener
def _on_init(environment: Environment, **_: Any) -> None:
    """Refuses what is not permitted, and starts what is lacking, before anybody can start a run."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        runner.register_message("flow-place", _on_place)
        return
    apis = [one.api for one in classes(environment)]
    try:
        every(getattr(environment.parsed_options, "judge", "all"))
        given = Place(environment.host or "")
        Conduct.place = start(apis, given, os.environ, Conduct.stack)
    except (Misuse, ValueError) as problem:
        _refuse(str(problem))
    environment.host = environment.host or Conduct.place.host or None


def _refuse(why: str) -> None:
    Conduct.stack.close()
    print(why, file=sys.stderr)
    raise SystemExit(2)


def _on_place(msg: Any, **_: Any) -> None:
    Conduct.place = Place(**msg.data)


@events.test_start.add_listener
def _on_start(environment: Environment, **_: Any) -> None:
    place = Place(environment.host or "", Conduct.place.mail)
    if isinstance(environment.runner, MasterRunner):
        environment.runner.send_message("flow-place", {"host": place.host, "mail": place.mail})
        Plays.ledger = Ledger()
        return
    try:
        for line in _ready(environment, place):
            console_logger.info(line)
    except (Misuse, ValueError, Unreachable) as problem:
        environment.process_exit_code = 4 if isinstance(problem, Unreachable) else 2
        stop_test(environment, str(problem))


def _ready(environment: Environment, place: Place) -> list[str]:
    """Makes all classes ready; gives lines for people."""
    options, users = environment.parsed_options, classes(environment)
    apis = [one.api for one in users]
    targets = {api: target(api, apis, place, os.environ) for api in apis}
    hidden = [text for one in targets.values() if one for text in secrets(one.settings)]
    judges = Conduct.judges = Judges(every(getattr(options, "judge", "all")), hidden)
    Conduct.cpu_began = time.process_time_ns()
    Plays.ledger = Ledger()
    lines = settings_of(one for one in targets.values() if one)
    if permitted_by(os.environ):
        lines.append(f"permitted by {permitted_by(os.environ)}")
    for user in users:
        where = targets[user.api]
        if where is None:
            raise Misuse(f"{user.api}: no host; pass --host or set {user.api.upper()}_URL")
        lines += [f"{user.api}: {lack}" for lack in user.prepare(where, judges, place)]
        if not where.writes:
            lines.append(f"{user.api}: journeys that change something are left out; {where.refusal()}")
    at_end("judging", note)
    return lines


def note() -> dict[str, Any]:
    """What judging came to in this process, for the result."""
    judges = Conduct.judges
    return {
        "mode": {0: "status", 1: "all"}.get(judges.every, f"sample={judges.every}"),
        "answers": judges.meter.count,
        "ns_per_answer": round(judges.meter.mean_ns),
        "cpu_share": round(judges.meter.share(time.process_time_ns() - Conduct.cpu_began), 4),
        "permitted_by": permitted_by(os.environ),
        "findings": judges.lines(),
        "once": Plays.ledger.told(),
    }


@events.report_to_master.add_listener
def _on_report(data: dict[str, Any], **_: Any) -> None:
    data["flow-once"] = Plays.ledger.report()


@events.worker_report.add_listener
def _on_worker_report(data: dict[str, Any], **_: Any) -> None:
    for clause, expected, _received in Plays.ledger.compare(data.pop("flow-once", {})):
        for environment in _environments:
            found(environment, expected, clause)


_environments: list[Environment] = []


@events.init.add_listener
def _on_made(environment: Environment, **_: Any) -> None:
    _environments.append(environment)


@events.quitting.add_listener
def _on_quitting(**_: Any) -> None:
    Conduct.stack.close()


@events.quit.add_listener
def _on_quit(**_: Any) -> None:
    for environment in _environments:
        result = current(environment)
        if result is not None:
            for line in told(result.notes.get("judging", {})):
                console_logger.info(line)


def told(notes: dict[str, Any]) -> list[str]:
    """What judging came to, for people: how much was looked at, what it cost, and an example of each finding."""
    lines = []
    for worker, one in notes.items():
        cost = f"{one['ns_per_answer'] / 1000:.1f} µs an answer, {one['cpu_share']:.0%} of its CPU"
        lines.append(f"{worker}: judged {one['mode']} of {one['answers']} answers, {cost}")
        lines += [f"  {line}" for line in one["once"]]
    findings = {text.split("\n", 1)[0]: text for one in notes.values() for text in one["findings"]}
    return [*lines, *(f"\n{text}" for text in findings.values())]
