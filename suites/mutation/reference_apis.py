"""Every API at a reference in this process, without sockets.

Rule: a small reference is somebody's server: it has few records, and the run knows of it no more than it must.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import contracts
from contracts.reader.optional_settings import optional_settings
from fixtures import reference
from fixtures.in_memory_mailbox import InMemoryMailbox
from fixtures.in_process_client import InProcessClient
from fixtures.reference.protocol import Change
from fixtures.target_api import Api
from suites.mutation.socket_reference import SocketReference


def in_process_api(
    name: str, faults: tuple[str, ...] = (), variants: tuple[str, ...] = (), seed: int = 0, small: bool = False
) -> Api:
    """The API at a reference in this process, with its mailbox. Raises KeyError for an unknown fault or variant."""
    mailbox = InMemoryMailbox()
    settings = _needed_settings(name) if small else None
    client = InProcessClient(name, faults, variants, seed, mailbox.mails.append, settings, few_records=small)
    return Api(client.target, client, mailbox, run=str(seed))


def socket_reference(name: str, changes: Sequence[Change] = (), small: bool = False) -> SocketReference:
    """The reference of that API with these changes behind a socket, started; the caller stops it."""
    return SocketReference(name, changes, _needed_settings(name) if small else None, few_records=small)


def honest_apis(seed: int = 0, small: bool = False) -> Mapping[str, Api]:
    """Every API that has a reference, without any change, by name."""
    return {name: in_process_api(name, seed=seed, small=small) for name in contracts.apis() if name in reference.apis()}


def _needed_settings(name: str) -> dict[str, str]:
    optional = optional_settings(name)
    return {setting: value for setting, value in reference.load(name).KNOWN.items() if setting not in optional}
