"""The four APIs at references in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import contracts
from fixtures.api import Api
from fixtures.inprocess import InProcess
from fixtures.reference.protocol import Mail


@dataclass
class Letters:
    """Holds mails; nothing has to be waited for, since they are there before the answer is."""

    mails: list[Mail] = field(default_factory=list)

    def wait(self, to: str, timeout: float, count: int = 1) -> list[Mail]:  # noqa: ARG002  # all are there already
        """The mails for that address."""
        return [mail for mail in self.mails if mail.to.lower() == to.lower()]


def in_process(name: str, faults: tuple[str, ...] = (), variants: tuple[str, ...] = (), seed: int = 0) -> Api:
    """The API at a reference in this process, with its mails. Raises KeyError for an unknown fault or variant."""
    letters = Letters()
    client = InProcess(name, faults, variants, seed, letters.mails.append)
    return Api(client.target, client, letters, run=str(seed))


def all_honest(seed: int = 0) -> Mapping[str, Api]:
    """Every API, honest."""
    return {name: in_process(name, seed=seed) for name in contracts.apis()}
