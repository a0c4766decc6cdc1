"""Records that a test makes for itself.

Rule: only what was made here is changed or deleted, and everything that was made here is deleted in the end.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from fixtures.api import Api
from suites.getflow.dialect import ACCOUNTS, KINDS, MADE, PREFIX, WORKSPACES, Kind, Row, ask, record
from suites.getflow.paging import first


class Bench:
    """Makes records of one organisation, in a workspace of its own."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._made: list[tuple[Kind, Any]] = []

    def make(self, kind: Kind, clause: str = "GETFLOW-REC-1", way: int = PREFIX, **attributes: Any) -> Row:
        """A new record with these attributes and what else it needs. Raises ContractBroken when it is not made."""
        sent = {**self.needs(kind), **attributes}
        exchange = ask(self.api, kind, "create", sent=sent, way=way)
        made = record(self.api, exchange, kind, clause)
        self.keep(kind, made["id"])
        return made

    def keep(self, kind: Kind, identifier: Any) -> None:
        """Takes charge of a record that the test made by itself."""
        self._made.append((kind, identifier))

    def needs(self, kind: Kind) -> Row:
        """The attributes without which no record of that kind is made."""
        needed: Row = {} if kind.plural == "memberships" else {"name": self.api.unique("flowproof ")}
        if kind != WORKSPACES:
            needed["workspace_id"] = self.workspace
        if kind.plural == "memberships":
            needed["account_id"] = first(self.api, ACCOUNTS, "GETFLOW-REC-1")[0]["id"]
        return needed

    def one_of_each(self) -> dict[Kind, Row]:
        """A new record of each kind that can be made."""
        return {kind: self.make(kind) for kind in MADE}

    def ids(self) -> dict[Kind, Any]:
        """An id of each kind: of a new record where that is allowed and can be, else of one that is listed."""
        own = self.one_of_each() if self.api.target.writes else {}
        found = {kind: first(self.api, kind, "GETFLOW-REC-1", limit=1)[0] for kind in KINDS if kind not in own}
        return {kind: row.get("id") for kind, row in (found | own).items()}

    @cached_property
    def workspace(self) -> Any:
        """The id of a workspace that holds what this test makes."""
        return self.make(WORKSPACES)["id"]

    def clear(self) -> None:
        """Deletes what was made, the last one first, as far as the target lets it."""
        for kind, identifier in reversed(self._made):
            ask(self.api, kind, "delete", identifier)
        self._made.clear()
