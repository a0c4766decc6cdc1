"""Users that play journeys on the engine, and are Locust users in everything else.

```python
class Getflow(Journeys):
    wait_time = between(1, 3)

    @journey(weight=9)
    def read_all_tasks(self):
        answer = yield self.request("GET", "/tasks")
```

A user costs one parked greenlet, which runs `on_start` and `on_stop`; what happens between is turns of the engine's
loop. With `arrivals = open_model(rate=200)` the users do not pause between journeys but wait for arrivals.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Generator, Mapping
from functools import cache
from random import random
from time import perf_counter, perf_counter_ns
from typing import Any, ClassVar

from gevent import Greenlet, GreenletExit
from gevent.event import Event
from gevent.pool import Group
from locust import User
from locust.env import Environment
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from loadtests import form, wiring  # noqa: F401  # form: with it come profiles, and the judging of runs
from loadtests.engine.arrivals import Plan
from loadtests.engine.call import Address, Judge, Request
from loadtests.engine.recorder import Slot
from loadtests.engine.session import Session
from loadtests.journey import http_request, journey, must_yield
from loadtests.node import journeys, recorder

SECOND = 1_000_000_000
GOLDEN = 0.6180339887498949  # its multiples, without their whole part, fill 0 to 1 evenly however many there are

__all__ = ["Journeys", "journey"]

logger = logging.getLogger(__name__)


class Journeys(User):
    """A Locust user whose tasks are journeys.

    arrivals: a plan of `open_model`, or None for users that pause for `wait_time` between their journeys.
    A journey that a subclass overrides is replaced by the subclass's, unlike a Locust task, of which both would run.
    """

    abstract = True
    arrivals: ClassVar[Plan | None] = None
    _born: ClassVar[int] = 0  # users of this class so far, in this process

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._born = 0
        current = [(each, getattr(cls, getattr(each, "__name__", ""), each)) for each in cls.tasks]
        # what overrides a journey and is marked as one is in the list by itself
        cls.tasks = [now for each, now in current if now is each or not hasattr(now, "locust_task_weight")]
        for each in cls.tasks:
            must_yield(each)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._node = wiring.node_of(environment)
        self._loop = self._node.loop
        self._late = self._node.health.late
        self._conductor = self._node.conductors.get(type(self).__name__)
        self._session = Session(self._loop)
        self._on_end = self._ended
        self._owner = getattr(self, "api", "") or type(self).__name__
        self._leaving = False  # whatever is still due for this user finds it gone
        self._over = Event()
        self._why: BaseException | None = None
        self._address: Address | None = None
        self._phase = (type(self)._born + self._node.index * GOLDEN) * GOLDEN % 1.0
        type(self)._born += 1

    # What journeys use

    @property
    def address(self) -> Address:
        """Where `host` is. Raises StopTest if there is none, or it is no URL."""
        if self._address is None:
            try:
                self._address = Address.of(self.host or "")
            except ValueError as wrong:
                raise StopTest(
                    f"{type(self).__name__} needs a host: pass --host or set it in the class: {wrong}"
                ) from None
        return self._address

    def request(
        self,
        method: str,
        path: str,
        *,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        judge: Judge | None = None,
    ) -> Request:
        """An HTTP request to `host`, to be yielded.

        path: with query, percent-encoded; name: what it is counted under, if not method and path.
        """
        slot = recorder.slot(name or f"{method} {path.partition('?')[0]}", "http")
        return http_request(slot, self.address, method, path, headers or {}, body, judge)

    # What Locust calls

    def start(self, group: Group) -> Greenlet[..., None]:
        """Start this user in a greenlet of `group`; Locust's runners know users by the greenlet's first argument."""
        if self._conductor is not None:
            self._conductor.joins()
        self._group = group
        self._greenlet = group.spawn(_live, self)
        return self._greenlet

    def stop(self, force: bool = False) -> bool:
        """Stop as Locust does. Who is to be killed starts nothing any more: a request begun now would be lost."""
        self._leaving = force or self._state != LOCUST_STATE_RUNNING
        stopped: bool = super().stop(force)
        return stopped

    def wait(self) -> None:
        """Locust's way to pause within a task, which would stop the engine. Raises TypeError."""
        raise TypeError("a journey pauses by yielding seconds, such as: yield 1.5")

    # From on_start to on_stop, in the user's own greenlet

    def _live(self) -> None:
        try:
            self._state = LOCUST_STATE_RUNNING
            self._prepare()
            if self._state == LOCUST_STATE_STOPPING:
                raise StopUser
            self._state = LOCUST_STATE_WAITING
            self._begin()
            self._over.wait()
            if self._why is not None:
                raise self._why
            raise StopUser
        except (GreenletExit, StopUser, StopTest) as why:
            self._leaving = True
            if isinstance(why, StopTest):
                self._stop_test(why)
            self._session.stop(graceful=False)
            self._session = Session(self._loop)
            self._perform(self.on_stop)
        finally:
            self._over.set()
            self._session.stop(graceful=False)

    def _prepare(self) -> None:
        """Run `on_start`; the conductor of open arrivals hears in any case that this user is no longer on its way."""
        player = None
        try:
            self._perform(self.on_start)
            player = self
        except Exception as wrong:
            if not isinstance(wrong, StopUser | StopTest):
                self._report(wrong)
            raise
        finally:
            if self._conductor is not None:
                self._conductor.ready(player)

    def _perform(self, method: Callable[[], Any]) -> None:
        """Call `on_start` or `on_stop`, and play it if it yields requests as a journey does."""
        played = method()
        if isinstance(played, Generator):
            done = Event()
            self._session.play(played, perf_counter_ns(), lambda _: done.set())
            done.wait()
            if self._session.raised is not None:
                raise self._session.raised

    # From journey to journey, in turns of the loop

    def _begin(self) -> None:
        """The first journey starts at this user's own point of the first pause, so that users of a batch spread out.

        `constant_pacing` counts from the user's making, which is the same for a batch: it is told to count from there.
        """
        if self._conductor is not None:
            return
        if not self.tasks:
            raise StopTest(f"{type(self).__name__} has no journeys: mark methods with @journey, or look at --tags")
        pause = max(0.0, self.wait_time()) * self._phase
        self._cp_last_run = perf_counter() + pause
        self._cp_last_wait_time = 0.0
        self._loop.at(perf_counter_ns() + int(pause * SECOND), self._due)

    def arrive(self, intended: int) -> bool:
        """Start a journey that was due at `intended`; False if this user has stopped."""
        if self._leaving or self._over.is_set() or self._state != LOCUST_STATE_WAITING:
            return False
        self._state = LOCUST_STATE_RUNNING
        self._intended = intended
        self._session.play(self._draw(), intended, self._on_end)
        return True

    def _due(self, due: int) -> None:
        if self.arrive(due):
            self._late.append(perf_counter_ns() - due)

    def _draw(self) -> Any:
        tasks: list[Any] = self.tasks
        drawn = tasks[int(random() * len(tasks))]
        self._slot = _slot(drawn, self._owner)
        return drawn(self)

    def _ended(self, session: Session) -> None:
        """A journey is over: stop, wait for an arrival, or pause."""
        immediately = False
        if session.raised is None:
            self._count(session.failure)
        else:
            immediately = isinstance(session.raised, RescheduleTaskImmediately)
            self._why = self._verdict(session.raised)
        if self._state == LOCUST_STATE_STOPPING or self._why is not None:
            self._over.set()
            return
        self._state = LOCUST_STATE_WAITING
        if self._conductor is not None:
            self._conductor.rests(self)
            return
        try:
            pause = 0.0 if immediately else self.wait_time()
        except Exception as wrong:  # whatever the locustfile's own function raises
            self._report(wrong)
            self._why = StopUser()
            self._over.set()
            return
        if pause > 0:
            self._loop.at(perf_counter_ns() + int(pause * SECOND), self._due)
        else:
            self.arrive(perf_counter_ns())

    def _count(self, failure: str) -> None:
        """Record the journey, from its intended start to now; one that met a failure is no faster for giving up."""
        now = perf_counter_ns()
        if failure:
            self._slot.failed(failure, self._intended, self._intended, now)
        else:
            self._slot.times.append((self._intended, self._intended, now, now, 0))

    def _verdict(self, raised: BaseException) -> BaseException | None:
        """What a journey's exception means for its user: an exception that ends it, or None."""
        if isinstance(raised, StopUser | StopTest | GreenletExit):
            return raised
        if isinstance(raised, RescheduleTaskImmediately | RescheduleTask | InterruptTaskSet):
            return None
        self._report(raised)
        return None if self.environment.catch_exceptions else raised

    def _stop_test(self, why: StopTest) -> None:
        """Stop the test for all; among the exceptions, so that the run does not count as a success."""
        if wiring.stop_test(self.environment, str(why)):
            self.environment.events.user_error.fire(user_instance=self, exception=why, tb=why.__traceback__)

    def _report(self, raised: BaseException) -> None:
        """Tell of an exception as Locust does: in the log, and in the statistics' exceptions."""
        self.environment.events.user_error.fire(user_instance=self, exception=raised, tb=raised.__traceback__)
        logger.error("%s\n%s", raised, "".join(traceback.format_exception(raised)))


@cache
def _slot(drawn: Callable[..., Any], owner: str) -> Slot:
    """Where that journey of that API or class of users is counted."""
    return journeys.slot(drawn.__name__, owner)


def _live(user: Journeys) -> None:
    user._live()
