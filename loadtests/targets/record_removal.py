"""Removes the records that a load run has made at somebody's server, and counts those that cannot be removed.

Rule: the ledger of a load run has one line for each process and API, written before the first request: the number from
which the texts in the names of its records count. So a run costs nothing more while it goes on, and what it has left is
recognised by these names; `python -m fixtures.cleanup` finds it after SIGKILL.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from contracts.errors import UsageError
from fixtures.cleanup import Leftovers, clean_folder, write_leftovers
from fixtures.record_kinds import record_kinds
from fixtures.record_ledger import RecordLedger, new_ledger
from fixtures.target_api import MissingPrecondition, NotPermitted
from fixtures.targets import Target


def open_ledger(target: Target, first: int) -> RecordLedger | None:
    """The ledger of this process for records whose texts count from `first`; None if no record has to be removed."""
    if target.is_reference or not target.writes:
        return None
    ledger = new_ledger(target.api, target.url, f"load-{secrets.token_hex(6)}")
    ledger.announce_range(first)
    return ledger


def remove_records(ledgers: Iterable[RecordLedger], environ: Mapping[str, str]) -> dict[str, Leftovers]:
    """Removes what these ledgers name; numbers of records by API. Raises UsageError and Unreachable."""
    cleaned: dict[str, Leftovers] = {}
    for ledger in ledgers:
        ledger.close()
        known = {**environ, f"{ledger.api.upper()}_URL": ledger.url}  # where the run was sent, by --host or by URL
        try:
            of_ledger = clean_folder(ledger.path.parent, known)
        except (NotPermitted, MissingPrecondition) as error:
            raise UsageError(str(error)) from None
        for api, leftovers in of_ledger.items():
            cleaned.setdefault(api, Leftovers()).add(leftovers)
    return cleaned


def count_kept(api: str, accepted: Mapping[str, int]) -> Leftovers:
    """The records that the API cannot delete, by the number of accepted requests of each operation's label."""
    kept: Counter[str] = Counter()
    for kind in record_kinds(api):
        if not kind.can_be_deleted:
            kept[kind.name] += accepted.get(kind.operation("create").label, 0)
    return Leftovers(kept=+kept)


def report(cleaned: Mapping[str, Leftovers], folder: str | None) -> list[str]:
    """A line for each API; the numbers are written to the folder of the results, if the run was given one."""
    if folder and cleaned:
        write_leftovers(Path(folder), cleaned)
    return [leftovers.summary(api) for api, leftovers in sorted(cleaned.items())]
