"""Load on getflow: `locust -f loadtests/getflow.py`, on our reference unless `--host` names another server.

Of 100 journeys 40 read lists page by page, 25 look at single records, views and related records, 25 write (the life of
a task above all) and 10 send invalid requests. Users that write delete what they have created, and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import choice
from typing import Any

from locust import between

from fixtures.link_header import next_link
from loadtests.engine.exchange_types import Request, Response
from loadtests.locust_plugin.listeners import register
from loadtests.user.contract_user import WRITES, ContractUser, Steps
from loadtests.user.journey_user import journey
from loadtests.validation.invariants import PaginationWalk, Violation, link_stays, members_match, shown_members_match
from loadtests.validation.validators import parsed_body

MAX_PAGES = 20
PLURALS = {"task": "tasks", "list": "lists", "workspace": "workspaces", "membership": "memberships"}
LISTS = ("listTasks", "listLists", "listWorkspaces", "listMemberships", "listAccounts", "listActivities")
READS = {"getTask": "task", "getList": "list", "getWorkspace": "workspace", "getMembership": "membership"}
WRITING = ("createTask", "createList", "createWorkspace", "createMembership")


def check_record(kind: str, clause: str, expected: Mapping[str, Any], value: Any, _: Response) -> Violation | None:
    """The record of a response has the expected members."""
    return members_match(clause, expected, value[kind])


def check_page(walk: PaginationWalk, plural: str, url: str, value: Any, response: Response) -> Violation | None:
    """No record comes twice in a walk over pages, none is missing at its end, and no link leads away from that URL.

    Others may delete what is behind a link, so a page without records is wrong only if it names another one.
    """
    link = next_link(response)
    if walk.seen and link and not value[plural]:
        return "GETFLOW-PAGE-10", "a last page", f"no {plural}, and a link to a next page"
    return link_stays("GETFLOW-PAGE-6", url, link) or walk.add_page(value[plural], is_last=link is None)


register()


class Getflow(ContractUser):
    """A user who works with tasks in a browser, or a script."""

    api = "getflow"
    wait_time = between(0, 1)
    operations = (
        *LISTS, *READS, *WRITING, "getAccount", "updateTask", "updateList", "updateWorkspace",
        "deleteTask", "deleteList", "deleteWorkspace", "deleteMembership",
    )  # fmt: skip

    @journey(weight=20)
    def read_all_pages(self) -> Steps:
        """Walks over all tasks, lists or workspaces by their links."""
        identifier, plural = choice((("listTasks", "tasks"), ("listLists", "lists"), ("listWorkspaces", "workspaces")))
        check = partial(check_page, PaginationWalk("id", "GETFLOW-PAGE-7", "GETFLOW-PAGE-7"), plural, self.url)
        response = yield self.request_for(identifier, check, limit=choice((10, 25, 100)))
        for _ in range(MAX_PAGES):
            link = next_link(response)
            if response.error or link is None:
                return
            response = yield self.link_request(link, identifier, check)

    @journey(weight=20)
    def look_at_lists(self) -> Steps:
        """Lists of every kind, with views, filters and related records from the corpus."""
        for identifier in LISTS:
            yield self.sampled_request(identifier)

    @journey(weight=25)
    def look_at_records(self) -> Steps:
        """Single records, each the requested one."""
        for identifier, kind in READS.items():
            plural = PLURALS[kind]
            record = self.known_value(f"list{plural.capitalize()}", f"/{plural}/*/id")
            check = partial(check_record, kind, "GETFLOW-REC-1", {"id": record})
            yield self.sampled_request(identifier, check, **{f"{kind}_id": record})
        account = self.known_value("listAccounts", "/accounts/*/id")
        yield self.request_for(
            "getAccount", partial(check_record, "account", "GETFLOW-REC-1", {"id": account}), account_id=account
        )

    @journey(weight=12, tags=(WRITES,))
    def live_with_a_task(self) -> Steps:
        """Creates a task, reads it, changes it, reads it again, deletes it, and finds it gone."""
        name, later = f"Task {self.unique_text()}", f"Aufgabe {self.unique_text()}"
        task = yield from self.create("task", "GETFLOW-REC-1", name=name)
        if task is None:
            return
        yield self.request_for(
            "getTask", partial(check_record, "task", "GETFLOW-REC-1", {"id": task, "name": name}), task_id=task
        )
        renamed = partial(check_record, "task", "GETFLOW-REC-2", {"id": task, "name": later})
        updated = yield self.request_for("updateTask", renamed, task_id=task, body={"task": {"name": later}})
        if not updated.error:  # one that was turned away has changed nothing
            yield self.sampled_request("getTask", renamed, task_id=task)
        deleted = yield self.request_for("deleteTask", task_id=task)
        if not deleted.error:
            yield self.refused_request("getTask", "unknown_record", "task_id", self.check_error_id, task_id=task)

    @journey(weight=4, tags=(WRITES,))
    def write_at_once(self) -> Steps:
        """Of two concurrent updates of one task, neither is lost."""
        task = yield from self.create("task", "GETFLOW-REC-1", name=f"Task {self.unique_text()}")
        if task is None:
            return
        for _ in range(3):
            name, note = f"Both {self.unique_text()}", f"Note {self.unique_text()}"
            both = yield [
                self.request_for("updateTask", task_id=task, body={"task": {"name": name}}),
                self.request_for("updateTask", task_id=task, body={"task": {"note_content": note}}),
            ]
            if not any(response.error for response in both):
                expected = {"name": name, "note_content": note}
                yield self.request_for(
                    "getTask", partial(check_record, "task", "GETFLOW-REC-2", expected), task_id=task
                )
        yield self.request_for("deleteTask", task_id=task)

    @journey(weight=4, tags=(WRITES,))
    def walk_while_others_write(self) -> Steps:
        """Walks over the tasks of a new workspace: each comes once, although others are created meanwhile."""
        workspace = yield from self.create("workspace", "GETFLOW-REC-1", name=f"Team {self.unique_text()}")
        if workspace is None:
            return
        tasks = yield from self.create_tasks(workspace, 5)
        walk = PaginationWalk("id", "GETFLOW-PAGE-8", "GETFLOW-PAGE-8", set(tasks))
        check, created = partial(check_page, walk, "tasks", self.url), list(tasks)
        request = self.request_for("listTasks", check, workspace_id=workspace, limit=2)
        for _ in range(MAX_PAGES):
            page, task = yield [request, self.new_task(workspace)]
            if not task.error:
                created.append(parsed_body(task)["task"]["id"])
            link = next_link(page)
            if page.error or link is None:
                break
            request = self.link_request(link, "listTasks", check)
        is_empty = True
        for task_id in created:
            deleted = yield self.request_for("deleteTask", task_id=task_id)
            is_empty = is_empty and not deleted.error
        if is_empty:  # one that holds tasks cannot be deleted
            yield self.request_for("deleteWorkspace", workspace_id=workspace)

    @journey(weight=5, tags=(WRITES,))
    def set_up_a_team(self) -> Steps:
        """Creates a workspace with a member and a list, changes it, and deletes it again."""
        workspace = yield from self.create("workspace", "GETFLOW-REC-1", name=f"Team {self.unique_text()}")
        if workspace is None:
            return
        account = self.known_value("listAccounts", "/accounts/*/id")
        member = yield from self.create("membership", "GETFLOW-REC-1", account_id=account, workspace_id=workspace)
        project = yield from self.create(
            "list", "GETFLOW-REC-1", name=f"List {self.unique_text()}", workspace_id=workspace
        )
        name = f"Größe {self.unique_text()}"
        check = partial(check_record, "workspace", "GETFLOW-REC-2", {"name": name})
        yield self.request_for("updateWorkspace", check, workspace_id=workspace, body={"workspace": {"name": name}})
        if project is not None:
            archived = partial(check_record, "list", "GETFLOW-REC-2", {"archived": True})
            yield self.request_for("updateList", archived, list_id=project, body={"list": {"archived": True}})
            deleted = yield self.request_for("deleteList", list_id=project)
            if deleted.error:
                return
        if member is not None:
            deleted = yield self.request_for("deleteMembership", membership_id=member)
            if deleted.error:
                return
        yield self.request_for("deleteWorkspace", workspace_id=workspace)

    @journey(weight=8, tags=("mistakes",))
    def make_mistakes(self) -> Steps:
        """Requests that are invalid in one place are refused as documented, each under an id of its own."""
        for identifier in (*LISTS, *READS):
            yield self.invalid_request(identifier, self.check_error_id)

    @journey(weight=2, tags=(WRITES, "mistakes"))
    def make_mistakes_in_writing(self) -> Steps:
        """So are requests with bodies."""
        for identifier in WRITING:
            yield self.invalid_request(identifier, self.check_error_id)

    def check_error_id(self, value: Any, _: Response) -> Violation | None:
        """No two refusals have the same id. (A request that may be accepted has none.)"""
        error_id = value.get("request_uuid") if isinstance(value, dict) else None
        return self.unique_values("request_uuid of an error", "GETFLOW-ERR-3").add(error_id) if error_id else None

    def create(self, kind: str, clause: str, **values: Any) -> Steps:
        """Creates a record with these values; returns its id, None after a failure."""

        def check(value: Any, _: Response) -> Violation | None:
            record = value[kind]
            return shown_members_match(clause, values, record) or self.unique_values(f"id of a {kind}", clause).add(
                record["id"]
            )

        response = yield self.request_for(f"create{kind.capitalize()}", check, **values)
        return None if response.error else parsed_body(response)[kind]["id"]

    def create_tasks(self, workspace: int, number: int) -> Steps:
        """Creates tasks in a workspace one after the other; returns the ids of those that were created."""
        responses = []
        for _ in range(number):
            responses.append((yield self.new_task(workspace)))  # noqa: PERF401  # a generator cannot yield in a comprehension
        return [parsed_body(response)["task"]["id"] for response in responses if not response.error]

    def new_task(self, workspace: int) -> Request:
        """A request that creates a task in a workspace, without references to other workspaces."""
        return self.request_for(
            "createTask", body={"task": {"name": f"Task {self.unique_text()}", "workspace_id": workspace}}
        )
