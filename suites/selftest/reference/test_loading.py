"""Tests of loading a reference: it is found by its folder, and faults and variants are imported only on demand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures import reference
from fixtures.reference import __main__ as command
from fixtures.reference.protocol import Request, handler_with_changes
from fixtures.reference.server import App

ROOT = Path(__file__).parents[3]
API = '''"""A small API with one operation."""
from fixtures.reference.protocol import json_reply

class Todo:
    def __init__(self, world):
        self.world = world

    def handle(self, request):
        return json_reply(200, {"tasks": []})

def create(world):
    return Todo(world)
'''
FAULTS = '''"""One fault in a single module."""
from fixtures.reference.protocol import fault

@fault("TODO-LIST-1")
def lists_nothing(api, request, answer):
    """The list of tasks is null."""
    reply = answer(request)
    reply.set_json({"tasks": None})
    return reply
'''
Write = Callable[..., None]


@pytest.fixture
def todo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Makes a fifth API, `todo`, of the files given by name; it is gone after the test."""
    monkeypatch.setattr(reference, "__path__", [*reference.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(**files: str) -> None:
        (tmp_path / "todo").mkdir()
        for name, text in files.items():
            (tmp_path / "todo" / f"{name}.py").write_text(text)

    yield write
    for name in [name for name in sys.modules if name.startswith("fixtures.reference.todo")]:
        del sys.modules[name]
    vars(reference).pop("todo", None)


def test_an_api_is_found_by_its_folder(todo: Write) -> None:
    todo(__init__=API)
    assert reference.apis() == ["bitvis", "flowapp", "flowback", "getflow", "todo"]


def test_an_api_may_have_neither_settings_nor_changes(todo: Write) -> None:
    todo(__init__=API)
    loaded = reference.load("todo")
    assert (loaded.KNOWN, loaded.FAULTS, loaded.LOAD_FAULTS, loaded.VARIANTS) == ({}, {}, {}, {})
    assert loaded.DRIFTS == {}
    assert not loaded.sends_mail


def test_the_faults_of_a_single_module_are_those_that_are_marked(todo: Write) -> None:
    todo(__init__=API, faults=FAULTS)
    loaded = reference.load("todo")
    assert [*loaded.FAULTS] == ["lists_nothing"]
    assert (loaded.LOAD_FAULTS, loaded.VARIANTS) == ({}, {})


def test_a_fifth_api_is_served_with_its_fault(todo: Write) -> None:
    todo(__init__=API, faults=FAULTS)
    server = reference.load("todo").create(None)
    handler = handler_with_changes(server, reference.load("todo").FAULTS.values())
    request = Request("GET", "/tasks")
    assert (server.handle(request).body, handler(request).body) == (b'{"tasks":[]}', b'{"tasks":null}')


def test_a_fifth_api_needs_no_websocket(todo: Write) -> None:
    todo(__init__=API)
    app = App({"todo": reference.load("todo").create(None)}, {}, ("127.0.0.1", 1))
    assert (app.websocket_api("todo"), app.frame_handlers()) == (None, {})


def test_frames_are_refused_for_a_fifth_api_without_endpoints(todo: Write, capsys: pytest.CaptureFixture[str]) -> None:
    todo(__init__=API)
    with pytest.raises(SystemExit, match="2"):
        command.main(["--api", "todo", "--deepstream", "ws://127.0.0.1:1/deepstream"])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("--deepstream: expected an API that takes frames; got todo; add --api bitvis")


def test_a_broken_faults_module_is_an_error_and_not_an_api_without_faults(todo: Write) -> None:
    todo(__init__=API, faults="import nowhere_to_be_found\n")
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        _ = reference.load("todo").FAULTS


def test_an_api_without_reference_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"fixtures\.reference\.todo"):
        reference.load("todo")


def test_the_list_has_the_faults_of_a_fifth_api(todo: Write, capsys: pytest.CaptureFixture[str]) -> None:
    todo(__init__=API, faults=FAULTS)
    assert command.main(["--list", "--api", "todo"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "todo: 1 faults",
        "  lists_nothing  TODO-LIST-1  The list of tasks is null.",
        "",
        "todo: 0 variants",
        "",
        "todo: 0 drifts",
    ]


def test_only_flowback_sends_mail() -> None:
    assert [api for api in reference.apis() if reference.load(api).sends_mail] == ["flowback"]


def imported(program: str, *arguments: str) -> set[str]:
    """The modules of references that a process with this program has imported at its end; its stdin is empty."""
    at_exit = "import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    command_line = [sys.executable, "-c", at_exit + program, *arguments]
    run = subprocess.run(command_line, cwd=ROOT, input="", capture_output=True, text=True, timeout=60, check=True)
    return {name for name in run.stderr.split() if name.startswith("fixtures.reference.")}


def changes_in(modules: set[str]) -> set[str]:
    """Those of these modules that hold faults, variants or drifts."""
    return {name for name in modules if {"faults", "variants", "drifts"} & set(name.split("."))}


SERVE = "import runpy; runpy.run_module('fixtures.reference', run_name='__main__')"


def test_an_honest_server_imports_no_change() -> None:
    modules = imported(SERVE, "--until-eof")
    assert {f"fixtures.reference.{api}" for api in reference.apis()} <= modules
    assert changes_in(modules) == set()


def test_a_client_in_the_process_imports_no_change() -> None:
    clients = "for api in reference.apis(): in_process_client.InProcessClient(api)"
    modules = imported(f"from fixtures import in_process_client, reference\n{clients}")
    assert "fixtures.reference.flowapp.known_settings" in modules
    assert changes_in(modules) == set()


def test_a_server_imports_the_requested_faults() -> None:
    modules = imported(SERVE, "--until-eof", "--api", "flowapp", "--fault", "list_repeats_an_event")
    assert "fixtures.reference.flowapp.faults.events" in modules
    assert "fixtures.reference.flowapp.variants" not in modules
