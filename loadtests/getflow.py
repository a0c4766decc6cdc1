"""Load on getflow: `locust -f loadtests/getflow.py`, on our reference unless `--host` names another server.

Of 100 journeys 40 read lists page by page, 25 look at single records, views and related records, 25 write (the life of
a task above all) and 10 make mistakes. Writing users remove what they made, and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import choice
from typing import Any

from locust import between

from loadtests.engine.call import Answer, Request
from loadtests.invariants import Broken, Walk, agrees, same
from loadtests.judges import value_of
from loadtests.links import next_link
from loadtests.play import WRITES, Plays, Steps
from loadtests.users import journey

MOST_PAGES = 20
PLURALS = {"task": "tasks", "list": "lists", "workspace": "workspaces", "membership": "memberships"}
LISTS = ("listTasks", "listLists", "listWorkspaces", "listMemberships", "listAccounts", "listActivities")
READS = {"getTask": "task", "getList": "list", "getWorkspace": "workspace", "getMembership": "membership"}
WRITING = ("createTask", "createList", "createWorkspace", "createMembership")


def shows(kind: str, clause: str, wanted: Mapping[str, Any], value: Any, _: Answer) -> Broken | None:
    """Whether an answer's record has what it should have."""
    return same(clause, wanted, value[kind])


def pages(walk: Walk, plural: str, value: Any, answer: Answer) -> Broken | None:
    """Whether a page fits in with the pages before it."""
    return walk.page(value[plural], is_last=next_link(answer) is None)


class Getflow(Plays):
    """Somebody with a browser full of tasks, or a script."""

    api = "getflow"
    wait_time = between(0, 1)
    operations = (
        *LISTS, *READS, *WRITING, "getAccount", "updateTask", "updateList", "updateWorkspace",
        "deleteTask", "deleteList", "deleteWorkspace", "deleteMembership",
    )  # fmt: skip

    @journey(weight=20)
    def read_all_pages(self) -> Steps:
        """Walks all tasks, lists or workspaces by the links."""
        identifier, plural = choice((("listTasks", "tasks"), ("listLists", "lists"), ("listWorkspaces", "workspaces")))
        check = partial(pages, Walk("id", "GETFLOW-PAGE-7", "GETFLOW-PAGE-7"), plural)
        answer = yield self.call(identifier, check, limit=choice((10, 25, 100)))
        for _ in range(MOST_PAGES):
            link = next_link(answer)
            if answer.error or link is None:
                return
            answer = yield self.follow(link, identifier, check)

    @journey(weight=20)
    def look_at_lists(self) -> Steps:
        """Lists of every kind, with the views, filters and related records of the corpus."""
        for identifier in LISTS:
            yield self.drawn(identifier)

    @journey(weight=25)
    def look_at_records(self) -> Steps:
        """Single records, each the one that was asked for."""
        for identifier, kind in READS.items():
            plural = PLURALS[kind]
            record = self.known(f"list{plural.capitalize()}", f"/{plural}/*/id")
            check = partial(shows, kind, "GETFLOW-REC-1", {"id": record})
            yield self.drawn(identifier, check, **{f"{kind}_id": record})
        account = self.known("listAccounts", "/accounts/*/id")
        yield self.call("getAccount", partial(shows, "account", "GETFLOW-REC-1", {"id": account}), account_id=account)

    @journey(weight=12, tags=(WRITES,))
    def live_with_a_task(self) -> Steps:
        """Creates a task, reads it back, changes it, reads it again, deletes it, and finds it gone."""
        name, later = f"Task {self.unique()}", f"Aufgabe {self.unique()}"
        task = yield from self.made("task", "GETFLOW-REC-1", name=name)
        if task is None:
            return
        yield self.call("getTask", partial(shows, "task", "GETFLOW-REC-1", {"id": task, "name": name}), task_id=task)
        renamed = partial(shows, "task", "GETFLOW-REC-2", {"id": task, "name": later})
        yield self.call("updateTask", renamed, task_id=task, body={"task": {"name": later}})
        yield self.drawn("getTask", renamed, task_id=task)
        yield self.call("deleteTask", task_id=task)
        yield self.refused("getTask", "unknown_record", "task_id", self.own_error, task_id=task)

    @journey(weight=4, tags=(WRITES,))
    def write_at_once(self) -> Steps:
        """Two updates of one task that overlap: neither is lost."""
        task = yield from self.made("task", "GETFLOW-REC-1", name=f"Task {self.unique()}")
        if task is None:
            return
        for _ in range(3):
            name, note = f"Both {self.unique()}", f"Note {self.unique()}"
            both = yield [
                self.call("updateTask", task_id=task, body={"task": {"name": name}}),
                self.call("updateTask", task_id=task, body={"task": {"note_content": note}}),
            ]
            if not any(answer.error for answer in both):
                wanted = {"name": name, "note_content": note}
                yield self.call("getTask", partial(shows, "task", "GETFLOW-REC-2", wanted), task_id=task)
        yield self.call("deleteTask", task_id=task)

    @journey(weight=4, tags=(WRITES,))
    def walk_while_others_write(self) -> Steps:
        """In a workspace of its own: every task that was there is met once, although others are created meanwhile."""
        workspace = yield from self.made("workspace", "GETFLOW-REC-1", name=f"Team {self.unique()}")
        if workspace is None:
            return
        tasks = yield from self.made_several(workspace, 5)
        walk = Walk("id", "GETFLOW-PAGE-8", "GETFLOW-PAGE-8", set(tasks))
        check, more = partial(pages, walk, "tasks"), list(tasks)
        request = self.call("listTasks", check, workspace_id=workspace, limit=2)
        for _ in range(MOST_PAGES):
            page, made = yield [request, self.new_task(workspace)]
            if not made.error:
                more.append(value_of(made)["task"]["id"])
            link = next_link(page)
            if page.error or link is None:
                break
            request = self.follow(link, "listTasks", check)
        for task in more:
            yield self.call("deleteTask", task_id=task)
        yield self.call("deleteWorkspace", workspace_id=workspace)

    @journey(weight=5, tags=(WRITES,))
    def set_up_a_team(self) -> Steps:
        """A workspace, a member and a list in it, changed and taken down again."""
        workspace = yield from self.made("workspace", "GETFLOW-REC-1", name=f"Team {self.unique()}")
        if workspace is None:
            return
        account = self.known("listAccounts", "/accounts/*/id")
        member = yield from self.made("membership", "GETFLOW-REC-1", account_id=account, workspace_id=workspace)
        project = yield from self.made("list", "GETFLOW-REC-1", name=f"List {self.unique()}", workspace_id=workspace)
        name = f"Größe {self.unique()}"
        check = partial(shows, "workspace", "GETFLOW-REC-2", {"name": name})
        yield self.call("updateWorkspace", check, workspace_id=workspace, body={"workspace": {"name": name}})
        if project is not None:
            archived = partial(shows, "list", "GETFLOW-REC-2", {"archived": True})
            yield self.call("updateList", archived, list_id=project, body={"list": {"archived": True}})
            yield self.call("deleteList", list_id=project)
        if member is not None:
            yield self.call("deleteMembership", membership_id=member)
        yield self.call("deleteWorkspace", workspace_id=workspace)

    @journey(weight=8, tags=("mistakes",))
    def make_mistakes(self) -> Steps:
        """Requests with one thing wrong, each refused as it should be and under an id of its own."""
        for identifier in (*LISTS, *READS):
            yield self.broken(identifier, self.own_error)

    @journey(weight=2, tags=(WRITES, "mistakes"))
    def make_mistakes_in_writing(self) -> Steps:
        """The same with bodies."""
        for identifier in WRITING:
            yield self.broken(identifier, self.own_error)

    def own_error(self, value: Any, _: Answer) -> Broken | None:
        """No two refusals have the same id. A request that may be accepted has none."""
        known = value.get("request_uuid") if isinstance(value, dict) else None
        return self.once("request_uuid of an error", "GETFLOW-ERR-3").take(known) if known else None

    def made(self, kind: str, clause: str, **sent: Any) -> Steps:
        """Creates a record with what was sent; gives its id, or None when it could not be had."""

        def check(value: Any, _: Answer) -> Broken | None:
            record = value[kind]
            return agrees(clause, sent, record) or self.once(f"id of a {kind}", clause).take(record["id"])

        answer = yield self.call(f"create{kind.capitalize()}", check, **sent)
        return None if answer.error else value_of(answer)[kind]["id"]

    def made_several(self, workspace: int, number: int) -> Steps:
        """Creates tasks in a workspace one after the other; gives the ids of those that could be had."""
        answers = []
        for _ in range(number):
            answers.append((yield self.new_task(workspace)))  # noqa: PERF401  # a generator cannot yield in a comprehension
        return [value_of(answer)["task"]["id"] for answer in answers if not answer.error]

    def new_task(self, workspace: int) -> Request:
        """A request that creates a task in a workspace, with nothing that only another workspace has."""
        return self.call("createTask", body={"task": {"name": f"Task {self.unique()}", "workspace_id": workspace}})
