"""A state of a reference, served in this process, or on a socket where its changes show only there.

Rule: in this process its clock is ours. It runs with the real one, from a fixed moment, and can be put forward, so that
observations lie apart without waiting.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from fixtures.in_memory_mailbox import InMemoryMailbox
from fixtures.in_process_client import InProcessClient
from fixtures.reference import load
from fixtures.reference.protocol import Change
from fixtures.target_api import Api
from suites.mutation.socket_reference import SocketReference

PLAIN_DAY = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)  # no end of a month, no change of the clocks

OF_OTHER = {"TOKEN": "OTHER_TOKEN", "USER_ID": "OTHER_USER_ID", "ORGANIZATION_ID": "FOREIGN_ORGANIZATION_ID"}
"""A setting of an account, and that of the other account."""
OF_EVERYBODY = ("USERNAME", "PASSWORD", "DEVICE_METHOD", "ADDRESS_METHOD", "QUEUE_METHOD")  # settings


@dataclass(frozen=True, slots=True)
class State:
    """What a reference is when it is observed, and by whom. seed: of its random data. start: of its clock.

    few_records: it has just begun to be used. other_account: the credentials are those of another account. workers: how
    many clients share an observation. labels: the pattern of the operations that are observed.
    """

    api: str
    changes: tuple[Change, ...] = ()
    seed: int = 0
    start: datetime = PLAIN_DAY
    few_records: bool = False
    other_account: bool = False
    on_socket: bool = False
    workers: int = 1
    labels: str = "*"

    @property
    def needs_socket(self) -> bool:
        """Whether it must be served on a socket."""
        return self.on_socket or any(change.needs_socket for change in self.changes)


@dataclass
class Clock:
    """The time of a reference: that of its start, and what has passed since then."""

    start: datetime
    jumped: timedelta = timedelta()
    _begun: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """The present time, aware."""
        return self.start + self.jumped + timedelta(seconds=time.monotonic() - self._begun)

    def put_forward(self, seconds: float) -> None:
        """Lets that time pass at once."""
        self.jumped += timedelta(seconds=seconds)


@contextmanager
def served(state: State) -> Iterator[tuple[list[Api], Clock]]:
    """The API as its `workers` see that state, and its clock, which has no effect on a socket."""
    clock = Clock(state.start)
    if state.needs_socket:
        reference = SocketReference(state.api, state.changes)
        try:
            yield [_of_account(reference.api, state)], clock
        finally:
            reference.stop()
        return
    mailbox = InMemoryMailbox()
    client = InProcessClient(
        state.api,
        seed=state.seed,
        deliver_mail=mailbox.mails.append,
        few_records=state.few_records,
        changes=state.changes,
        now=clock.now,
    )
    clients = [client, *(client.twin() for _ in range(state.workers - 1))]
    yield (
        [
            _of_account(Api(client.target, sender, mailbox, run=f"{state.seed}.{number}"), state)
            for number, sender in enumerate(clients)
        ],
        clock,
    )


def _of_account(api: Api, state: State) -> Api:
    known = load(state.api).KNOWN
    if not state.other_account or "OTHER_TOKEN" not in known:
        return api
    of_everybody = {name: value for name, value in known.items() if name in OF_EVERYBODY}
    own = {name: known[of_other] for name, of_other in OF_OTHER.items() if of_other in known}
    api.target = replace(api.target, settings={**of_everybody, **own})
    return api
