"""Every API at a reference in this process, without sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import contracts
from fixtures import reference
from fixtures.in_process_client import InProcessClient
from fixtures.reference.protocol import Mail
from fixtures.target_api import Api


@dataclass
class InMemoryMailbox:
    """Holds mails. Nothing has to be waited for: a reference in this process delivers a mail before it responds."""

    mails: list[Mail] = field(default_factory=list)

    def wait(self, to: str, timeout: float, count: int = 1) -> list[Mail]:  # noqa: ARG002  # of fixtures.target_api.Mailbox
        """The mails for that address."""
        return [mail for mail in self.mails if mail.to.lower() == to.lower()]


def in_process_api(name: str, faults: tuple[str, ...] = (), variants: tuple[str, ...] = (), seed: int = 0) -> Api:
    """The API at a reference in this process, with its mailbox. Raises KeyError for an unknown fault or variant."""
    mailbox = InMemoryMailbox()
    client = InProcessClient(name, faults, variants, seed, mailbox.mails.append)
    return Api(client.target, client, mailbox, run=str(seed))


def honest_apis(seed: int = 0) -> Mapping[str, Api]:
    """Every API that has a reference, without any change, by name."""
    return {name: in_process_api(name, seed=seed) for name in contracts.apis() if name in reference.apis()}
