"""Users that run journeys on the load engine, and are Locust users in everything else.

```python
class Getflow(JourneyUser):
    wait_time = between(1, 3)

    @journey(weight=9)
    def read_all_tasks(self):
        response = yield self.request("GET", "/tasks")
```

A user costs one waiting greenlet, which runs `on_start` and `on_stop`; its journeys run in the engine's loop. With
`arrivals = open_model(rate=200)` users do not pause between journeys, but wait for arrivals.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Generator
from random import random
from time import perf_counter, perf_counter_ns
from typing import Any, ClassVar

from gevent import Greenlet, GreenletExit
from gevent.event import Event
from gevent.pool import Group
from locust.env import Environment
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from contracts.errors import UsageError
from loadtests.distributed.run_state import RunState, state_of
from loadtests.engine.arrival_plan import ArrivalPlan
from loadtests.engine.backoff import Backoff
from loadtests.engine.recorder import OperationSamples
from loadtests.engine.virtual_user import VirtualUser
from loadtests.user.feeder import require_rows
from loadtests.user.journey import journey, require_generator, require_weights
from loadtests.user.requesting_user import RequestingUser
from loadtests.validation.violation_causes import CONSEQUENCES

SECOND = 1_000_000_000
GOLDEN_RATIO = 0.6180339887498949  # the fractional parts of its multiples fill 0 to 1 evenly, however many there are

__all__ = ["JourneyUser", "journey"]

logger = logging.getLogger(__name__)


class JourneyUser(RequestingUser):
    """A Locust user whose tasks are journeys.

    arrivals: a plan of `open_model`, or None for users that pause for `wait_time` between their journeys.
    A journey that a subclass overrides is replaced by the subclass's. (Of an overridden Locust task, both would run.)
    """

    __slots__ = (
        "_end_exception", "_finished", "_intended", "_is_leaving", "_loop", "_number", "_on_journey_end", "_owner_name",
        "_phase", "_samples", "_scheduler", "_start_delays",
    )  # fmt: skip

    abstract = True
    arrivals: ClassVar[ArrivalPlan | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        current = [(task, getattr(cls, getattr(task, "__name__", ""), task)) for task in cls.tasks]
        # an overriding method that is marked as a journey is in the list already
        cls.tasks = [method for task, method in current if method is task or not hasattr(method, "locust_task_weight")]
        for task in cls.tasks:
            require_generator(task)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.run_state = _state_of(environment)
        generator = self.run_state.generator
        self.recorder = generator.recorder
        self._journey_recorder = generator.journey_recorder
        self._loop = generator.loop
        self._start_delays = generator.health.start_delays
        self._scheduler = generator.schedulers.get(type(self).__name__)
        backoff = Backoff(generator.health) if self._scheduler is None else None
        self._virtual_user = VirtualUser(self._loop, backoff=backoff)
        self._on_journey_end = self._journey_ended
        self._owner_name = getattr(self, "api", "") or type(self).__name__
        self._is_leaving = False  # if so, timers that still fire start nothing
        self._finished = Event()
        self._end_exception: BaseException | None = None
        self._samples: OperationSamples  # of the journey that runs
        generator.spawned[type(self).__name__] += 1
        self._number = self.run_state.number_user(type(self))
        self._phase = (self._number + generator.index * GOLDEN_RATIO) * GOLDEN_RATIO % 1.0

    @classmethod
    def require_valid(cls) -> None:
        """Raises UsageError for a class of users that cannot run as it is written, and for unusable test data."""
        require_weights(cls)
        require_rows(cls)

    # What Locust calls

    def start(self, group: Group) -> Greenlet[..., None]:
        """Start this user in a greenlet of `group`; Locust's runners find users by the greenlet's first argument.

        Locust starts all users of a second at once: meanwhile responses are read now and then.
        """
        self.run_state.generator.yield_to_responses()
        if self._scheduler is not None:
            self._scheduler.user_spawned()
        self._group = group
        self._greenlet = group.spawn(JourneyUser._run, self)
        return self._greenlet

    def stop(self, force: bool = False) -> bool:
        """Stop as Locust does. A user about to be killed starts no new request: its response would be lost."""
        self._is_leaving = force or self._state != LOCUST_STATE_RUNNING
        stopped: bool = super().stop(force)
        return stopped

    def wait(self) -> None:
        """Locust's way to pause within a task, which would block the engine. Raises TypeError."""
        raise TypeError("a journey pauses by yielding seconds, such as: yield 1.5")

    # From on_start to on_stop, in the user's own greenlet

    def _run(self) -> None:
        try:
            self._state = LOCUST_STATE_RUNNING
            self._run_on_start()
            if self._state == LOCUST_STATE_STOPPING:
                raise StopUser
            self._state = LOCUST_STATE_WAITING
            self._schedule_first_journey()
            self._finished.wait()
            if self._end_exception is not None:
                raise self._end_exception
            raise StopUser
        except (GreenletExit, StopUser, StopTest) as end:
            self._is_leaving = True
            if isinstance(end, StopTest):
                self._stop_test(end)
            self._virtual_user.stop(graceful=False)
            self._virtual_user = VirtualUser(self._loop)
            self._call_hook(self.on_stop)
        finally:
            self._finished.set()
            self._virtual_user.stop(graceful=False)

    def _run_on_start(self) -> None:
        """Run `on_start`; the arrival scheduler is notified of its end in any case, since it waits for all users."""
        ready = None
        try:
            self._call_hook(self.on_start)
            ready = self
        except Exception as error:
            if not isinstance(error, StopUser | StopTest):
                self._report(error)
            raise
        finally:
            if self._scheduler is not None:
                self._scheduler.user_ready(ready)

    def _call_hook(self, method: Callable[[], Any]) -> None:
        """Call `on_start` or `on_stop`, and run it like a journey if it yields requests."""
        steps = method()
        if isinstance(steps, Generator):
            done = Event()
            self._virtual_user.run(steps, perf_counter_ns(), lambda _: done.set())
            done.wait()
            if self._virtual_user.exception is not None:
                raise self._virtual_user.exception

    # From journey to journey, in the loop

    def _schedule_first_journey(self) -> None:
        """Start the first journey after a part of the pause that differs from user to user, which spreads a batch.

        Locust's `constant_pacing` counts from when a user was created, which is the same for a whole batch; the two
        assignments below make it count from this user's first journey.
        """
        if self._scheduler is not None:
            return
        if not self.tasks:
            raise StopTest(f"{type(self).__name__} has no journeys: mark methods with @journey, or look at --tags")
        pause = max(0.0, self.wait_time()) * self._phase
        self._cp_last_run = perf_counter() + pause
        self._cp_last_wait_time = 0.0
        self._loop.call_at(perf_counter_ns() + int(pause * SECOND), self._start_scheduled)

    def start_journey(self, intended: int) -> bool:
        """Start a journey whose intended start is `intended` (ns); False if this user has stopped."""
        if self._is_leaving or self._finished.is_set() or self._state != LOCUST_STATE_WAITING:
            return False
        self._state = LOCUST_STATE_RUNNING
        self._intended = intended
        self._virtual_user.run(self._pick_journey(), intended, self._on_journey_end)
        return True

    def _start_scheduled(self, intended: int) -> None:
        if self.start_journey(intended):
            self._start_delays.append(perf_counter_ns() - intended)

    def _pick_journey(self) -> Any:
        tasks: list[Any] = self.tasks
        journey_method = tasks[int(random() * len(tasks))]
        self._samples = self._journey_recorder.samples_of(journey_method.__name__, self._owner_name)
        return journey_method(self)

    def _journey_ended(self, virtual_user: VirtualUser) -> None:
        """A journey is over: stop, wait for an arrival, or pause."""
        immediately = False
        exception: BaseException | None = virtual_user.exception
        if exception is None:
            self._record_journey(virtual_user.first_failure)
        elif isinstance(exception, CONSEQUENCES) and self.run_state.validators.causes.has_accepted:
            self._record_journey(f"ended by what is accepted: {type(exception).__name__}")
        else:
            immediately = isinstance(exception, RescheduleTaskImmediately)
            self._end_exception = self._user_exception(exception)
        if self._state == LOCUST_STATE_STOPPING or self._end_exception is not None:
            self._finished.set()
            return
        self._state = LOCUST_STATE_WAITING
        if self._scheduler is not None:
            self._scheduler.user_idle(self)
            return
        try:
            pause = 0.0 if immediately else self.wait_time()
        except Exception as error:  # the function is the locustfile's own and may raise anything
            self._report(error)
            self._end_exception = StopUser()
            self._finished.set()
            return
        if pause > 0:
            self._loop.call_at(perf_counter_ns() + int(pause * SECOND), self._start_scheduled)
        else:
            self.start_journey(perf_counter_ns())

    def _record_journey(self, failure: str) -> None:
        """Record the journey, from its intended start to now. After a failure it counts as failed, not as fast."""
        now = perf_counter_ns()
        if failure:
            self._samples.record_failure(failure, self._intended, self._intended, now)
        else:
            self._samples.times.append((self._intended, self._intended, now, now, 0))

    def _user_exception(self, raised: BaseException) -> BaseException | None:
        """The exception that ends the user after this exception of its journey; None if the user goes on."""
        if isinstance(raised, StopUser | StopTest | GreenletExit):
            return raised
        if isinstance(raised, RescheduleTaskImmediately | RescheduleTask | InterruptTaskSet):
            return None
        self._report(raised)
        return None if self.environment.catch_exceptions else raised

    def _stop_test(self, reason: StopTest) -> None:
        """Stop the test for all users, and count the reason as an exception, so that the run is no success."""
        if self.run_state.stop_test(str(reason)):
            self.environment.events.user_error.fire(user_instance=self, exception=reason, tb=reason.__traceback__)

    def _report(self, raised: BaseException) -> None:
        """Report an exception as Locust does: in the log, and among the exceptions of the statistics."""
        self.environment.events.user_error.fire(user_instance=self, exception=raised, tb=raised.__traceback__)
        logger.error("%s\n%s", raised, "".join(traceback.format_exception(raised)))


def _state_of(environment: Environment) -> RunState:
    """The state of the run. A locustfile that has not registered flowproof ends the process with one sentence."""
    try:
        return state_of(environment)
    except UsageError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
