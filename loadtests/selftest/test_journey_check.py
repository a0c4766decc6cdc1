"""A journey with a name that its contract does not have is refused before a run; the message lists the known names."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import UsageError
from loadtests.selftest.locust_run import finished_run
from loadtests.user.contract_user import ContractUser
from loadtests.user.discovery import user_classes
from loadtests.user.journey_check import named_uses

CASES: dict[str, tuple[str, str]] = {
    "an operation in the list of operations": (
        'operations = ("listTask",)',
        r"Visitor\.operations: unknown operation 'listTask'; expected one of .*listTasks",
    ),
    "an RPC call of an API without any": (
        'rpc_calls = ("inventory/device LIST",)',
        r"Visitor\.rpc_calls: unknown RPC call 'inventory/device LIST'; expected one of none",
    ),
    "an operation": (
        'yield self.request_for("listTask")',
        r"Visitor\.visit: unknown operation 'listTask'; expected one of .*listTasks",
    ),
    "an operation of a sampled request": (
        'yield self.sampled_request("listTask")',
        r"Visitor\.visit: unknown operation 'listTask'",
    ),
    "an operation of an invalid request": (
        'yield self.invalid_request("listTask")',
        r"Visitor\.visit: unknown operation 'listTask'",
    ),
    "an operation of a refused request": (
        'yield self.refused_request("getTsk", "unknown_record", "task_id", task_id=1)',
        r"Visitor\.visit: unknown operation 'getTsk'",
    ),
    "an operation of a contested request": (
        'yield self.contested_request("createTsk", print)',
        r"Visitor\.visit: unknown operation 'createTsk'",
    ),
    "an operation of a link": (
        'yield self.link_request(self.host, "listTask")',
        r"Visitor\.visit: unknown operation 'listTask'",
    ),
    "an operation of a known value": (
        'yield self.known_value("listTask", "/tasks/*/id")',
        r"Visitor\.visit: unknown operation 'listTask'",
    ),
    "a parameter": (
        'yield self.request_for("listTasks", size=3)',
        r"Visitor\.visit: unknown value of the operation listTasks 'size'; expected one of .*limit",
    ),
    "a member of a body": (
        'yield self.request_for("createTask", named="a")',
        r"Visitor\.visit: unknown value of the operation createTask 'named'; expected one of .*name",
    ),
    "a parameter of a refused request": (
        'yield self.refused_request("getTask", "unknown_record", "task", task_id=1)',
        r"Visitor\.visit: unknown parameter of the operation getTask 'task'; expected one of .*task_id",
    ),
    "a kind of error": (
        'yield self.refused_request("getTask", "strange", "task_id", task_id=1)',
        r"Visitor\.visit: unknown kind of error 'strange'; expected one of .*unknown_record",
    ),
    "a weight that is a text": (
        '@journey(weight="9")\n    def other(self):\n        yield 1',
        r"Visitor\.other: expected a whole number of 0 or more as weight of a journey, got '9'",
    ),
    "a weight that is a fraction": (
        "@journey(weight=1.5)\n    def other(self):\n        yield 1",
        r"Visitor\.other: .* got 1\.5",
    ),
    "a weight below 0": ("@journey(weight=-1)\n    def other(self):\n        yield 1", r"Visitor\.other: .* got -1"),
    "a weight that is a truth value": (
        "@journey(weight=True)\n    def other(self):\n        yield 1",
        r"Visitor\.other: .* got True",
    ),
    "a weight of the class that is a text": (
        'weight = "many"',
        r"Visitor: expected a number of 0 or more as weight of the class, got 'many'",
    ),
    "a weight of the class below 0": ("weight = -1", r"Visitor: .* got -1"),
    "an API without a contract": (
        'api = "todo"',
        r"Visitor: there is no contract of the API 'todo': expected a folder contracts/todo, or one of .*getflow",
    ),
}

RPC_CASES: dict[str, tuple[str, str]] = {
    "an RPC call in the list of calls": (
        'rpc_calls = ("inventory/device LISTS",)',
        r"Visitor\.rpc_calls: unknown RPC call 'inventory/device LISTS'; expected one of .*inventory/device LIST",
    ),
    "an RPC call": (
        'yield self.rpc_request("websocket", "inventory/devices LIST")',
        r"Visitor\.visit: unknown RPC call 'inventory/devices LIST'",
    ),
    "a sampled RPC call": (
        'yield self.sampled_rpc_request("websocket", "inventory/devices LIST")',
        r"Visitor\.visit: unknown RPC call",
    ),
    "an invalid RPC call": (
        'yield self.invalid_rpc_request("websocket", "inventory/devices LIST")',
        r"Visitor\.visit: unknown RPC call",
    ),
    "a part of an RPC call": (
        'yield self.rpc_request("websocket", "inventory/device OPEN", objectId="1")',
        r"part of the RPC call inventory/device OPEN 'objectId'; expected one of objectid, namespace, parameters, data",
    ),
}

CLASS = """
from loadtests.locust_plugin.listeners import register
from loadtests.user.contract_user import ContractUser
from loadtests.user.journey_user import journey

register()

class Visitor(ContractUser):
    api = "{api}"
    {attribute}

    @journey
    def visit(self):
        {statement}
"""


def source(api: str, line: str) -> str:
    """A locustfile with that line in its class, or in its journey if it yields."""
    in_journey = line.startswith("yield")
    return CLASS.format(
        api=api,
        attribute="" if in_journey else line,
        statement=line if in_journey else 'yield self.request("GET", "/")',
    )


def user_class(folder: Path, api: str, line: str) -> type[ContractUser]:
    """The class of that locustfile, which is read from a file as Locust does."""
    file = folder / "visitor.py"
    file.write_text(source(api, line))
    names: dict[str, type[ContractUser]] = {"__name__": "visitor"}  # type: ignore[dict-item] # of a module
    exec(compile(file.read_text(), file, "exec"), names)
    return names["Visitor"]


@pytest.mark.parametrize(
    ("api", "line", "message"),
    [("getflow", *case) for case in CASES.values()] + [("bitvis", *case) for case in RPC_CASES.values()],
    ids=[*CASES, *RPC_CASES],
)
def test_unknown_names_are_refused(tmp_path: Path, api: str, line: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        user_class(tmp_path, api, line).require_valid()


@pytest.mark.parametrize(
    "line",
    [
        'yield self.request_for("listTasks", limit=25)',
        'yield self.request_for("createTask", name="a", body={})',
        'yield self.request_for("listTasks", TOKEN="of another account")',
        'yield self.refused_request("getTask", "unknown_record", "task_id", task_id=1)',
        "yield self.request_for(self.host)",
        "weight = 0",
        "weight = 2.5",
        "@journey(weight=0)\n    def other(self):\n        yield 1",
        'operations = ("listTasks", "getTask")',
    ],
)
def test_known_names_are_accepted(tmp_path: Path, line: str) -> None:
    user_class(tmp_path, "getflow", line).require_valid()


@pytest.mark.parametrize("name", user_classes())
def test_our_own_journeys_are_accepted(name: str) -> None:
    user_classes()[name].require_valid()


@pytest.mark.parametrize("name", user_classes())
def test_the_names_in_our_own_journeys_are_seen(name: str) -> None:
    """A check that finds no names would accept every journey."""
    assert len([use for use in named_uses(user_classes()[name]) if use.name is not None]) >= 3


@pytest.mark.xdist_group("load-users")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('yield self.request_for("listTask")', "Visitor.visit: unknown operation 'listTask'; expected one of"),
        ('@journey(weight="9")\n    def other(self):\n        yield 1', "as weight of a journey, got '9'"),
    ],
    ids=["operation", "weight"],
)
def test_a_run_with_an_unknown_name_ends_before_any_load(tmp_path: Path, line: str, message: str) -> None:
    run = finished_run(tmp_path, "", source("getflow", line), "--headless -u 1 -t 60s")
    assert (run.process.returncode, message in run.output, "Traceback" in run.output) == (2, True, False), run.output
    assert not run.results.exists()


COMPUTED = 'yield self.request_for("list" + "Task")'


@pytest.mark.xdist_group("load-users")
def test_a_name_that_is_computed_breaks_the_run_when_it_is_used(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "", source("getflow", COMPUTED), "--headless -u 1 -t 3s")
    assert run.process.returncode == 2, run.output
    assert "getflow has no operation 'listTask'; expected one of" in run.output
