"""Creates records that belong to one test.

Rule: only records that a test created are changed or deleted, and all of them are deleted at its end.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from fixtures.target_api import Api
from suites.getflow.client import (
    ACCOUNTS,
    CREATABLE_KINDS,
    KINDS,
    PATH_PREFIX,
    WORKSPACES,
    Record,
    RecordKind,
    send,
    single_record,
)
from suites.getflow.pagination import first_page
from suites.preparations import preparation


class RecordFactory:
    """Creates records of one organisation in a workspace of the test's own."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._created: list[tuple[RecordKind, Any]] = []

    def create(
        self, kind: RecordKind, clause: str = "GETFLOW-REC-1", versioning: int = PATH_PREFIX, **attributes: Any
    ) -> Record:
        """A new record with these attributes and the required ones. Raises ContractViolation when it is not created.

        As `preparation` it raises MissingPrecondition when another test has reported that.
        """
        body = {**self.required_attributes(kind), **attributes}
        plain = partial(self.create, kind, clause) if attributes or versioning != PATH_PREFIX else None
        with preparation(self.api, f"a {kind.singular}", plain):
            exchange = send(self.api, kind, "create", attributes=body, versioning=versioning)
            record = single_record(self.api, exchange, kind, clause)
        self.delete_later(kind, record["id"])
        return record

    def delete_later(self, kind: RecordKind, identifier: Any) -> None:
        """Notes a record that the test created by itself, to be deleted at its end."""
        self._created.append((kind, identifier))

    def required_attributes(self, kind: RecordKind) -> Record:
        """The attributes that a creation of that kind requires."""
        required: Record = {} if kind.plural == "memberships" else {"name": self.api.unique_text("flowproof ")}
        if kind != WORKSPACES:
            required["workspace_id"] = self.workspace
        if kind.plural == "memberships":
            required["account_id"] = first_page(self.api, ACCOUNTS, "GETFLOW-REC-1")[0]["id"]
        return required

    def create_one_of_each(self) -> dict[RecordKind, Record]:
        """A new record of each kind that can be created."""
        return {kind: self.create(kind) for kind in CREATABLE_KINDS}

    def ids_by_kind(self) -> dict[RecordKind, Any]:
        """The id of a record of each kind: a new one where the target allows it, otherwise one of its list."""
        created = self.create_one_of_each() if self.api.target.writes else {}
        listed = {
            kind: first_page(self.api, kind, "GETFLOW-REC-1", limit=1)[0] for kind in KINDS if kind not in created
        }
        return {kind: record.get("id") for kind, record in (listed | created).items()}

    @cached_property
    def workspace(self) -> Any:
        """The id of a workspace that contains what this test creates."""
        return self.create(WORKSPACES)["id"]

    def delete_created(self) -> None:
        """Deletes the created records, the last one first, as far as the target allows it."""
        for kind, identifier in reversed(self._created):
            send(self.api, kind, "delete", identifier)
        self._created.clear()
