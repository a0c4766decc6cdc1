"""A misuse is one line and exit code 2, before anything is sent: in a run of tests and in a load run, of any API."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from contracts.errors import UsageError
from fixtures.known_variables import check_environment
from fixtures.targets import from_environment, require_settings
from suites import run_checks
from suites.harden.misuse_cases import (
    CASES,
    HARMLESS,
    LOOPBACK,
    MISSING,
    MISSPELT,
    OPTIONS,
    SECRET,
    MisuseCase,
)
from suites.selftest.python_runs import run_module

ROOT = Path(__file__).parents[3]
APIS = ("bitvis", "flowapp", "flowback", "getflow")
TESTS = {"getflow": "suites/getflow/test_dates.py", "flowback": "suites/flowback/test_errors.py"}
PROCESSES = [  # one of each kind of misuse in each kind of run: they take seconds
    *((case, run) for case in (MISSPELT[0], MISSING[1], OPTIONS[0]) for run in ("contract", "load")),
    (OPTIONS[1], "contract"),
    *((case, "load") for case in OPTIONS if case.runs == {"load"}),
]


def refusal(environ: Mapping[str, str], api: str) -> str:
    """The line that refuses this environment for a run on that API, "" when nothing does."""
    try:
        check_environment(APIS, environ)
        target = from_environment(api, environ)
        if target is not None:
            require_settings(target)
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("case", [case for case in CASES if not case.needs_process], ids=str)
def test_an_environment_is_refused_in_one_line_that_names_the_variable(case: MisuseCase) -> None:
    line = refusal(case.environ, case.api)
    assert case.line in line
    assert len(line.splitlines()) == 1
    assert line.isprintable()


@pytest.mark.parametrize("case", [case for case in CASES if SECRET in "".join(case.environ.values())], ids=str)
def test_a_refusal_shows_no_secret(case: MisuseCase) -> None:
    assert SECRET not in refusal(case.environ, case.api)


@pytest.mark.parametrize("environ", HARMLESS, ids=lambda environ: " ".join(environ))
def test_what_is_harmless_is_not_refused(environ: Mapping[str, str]) -> None:
    check_environment(APIS, environ)


def test_white_space_around_a_value_is_removed() -> None:
    target = from_environment("getflow", HARMLESS[0])
    assert target is not None
    expected = (f"{LOOPBACK}/getflow", "x", "52")
    assert (target.url, target.settings["TOKEN"], target.settings["ORGANIZATION_ID"]) == expected


def test_there_are_enough_cases_for_every_api_and_kind_of_run() -> None:
    assert len({str(case) for case in CASES}) >= 40
    assert {case.api for case in CASES} == set(APIS)
    assert {run for case in OPTIONS for run in case.runs} == {"contract", "load"}


def check(config: Any) -> None:
    """What a run checks before it collects tests."""
    run_checks.check_options(config)
    run_checks.check_run(config)


@pytest.mark.parametrize("case", [case for case in OPTIONS if case.runs == {"contract"}], ids=str)
def test_an_option_is_refused_in_one_line(case: MisuseCase, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in case.environ.items():
        monkeypatch.setenv(name, value)
    option = Namespace(effort="quick", seed="0", fault=[], variant=[], numprocesses=None)
    for name, value in zip(case.options[::2], case.options[1::2], strict=True):
        given = getattr(option, name.removeprefix("--"))
        setattr(option, name.removeprefix("--"), [value] if isinstance(given, list) else value)
    config = Mock(
        option=option, stash=pytest.Stash(), getoption=lambda name, default=None: getattr(option, name, default)
    )
    with pytest.raises(ValueError, match=re.escape(case.line)) as refused:
        check(config)
    assert len(str(refused.value).splitlines()) == 1


def ended_run(run: str, api: str, environ: Mapping[str, str], options: Sequence[str], folder: Path) -> tuple[int, str]:
    """(exit code, output) of a run of tests or of a load run on that API."""
    commands = {
        "contract": f"pytest {TESTS[api]} -q -p no:cacheprovider --alluredir {folder}",
        "load": f"locust -f loadtests/{api}.py --headless --profile smoke --loglevel WARNING --results {folder}",
    }
    clean = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "PYTHONPYCACHEPREFIX")
    }
    permit = {"PYTHONPATH": str(ROOT), "LOAD_PERMITTED_BY": f"Jo, {date.today()}"}
    module, *arguments = commands[run].split()
    ended = run_module(module, [*arguments, *options], {**clean, **permit, **environ}, 300)
    return ended.returncode, ended.stdout + ended.stderr


def assert_refused(case: MisuseCase, run: str, folder: Path, options: Sequence[str] = ()) -> None:
    code, output = ended_run(run, case.api, case.environ, [*case.options, *options], folder)
    lines = [line for line in output.splitlines() if case.line in line]
    assert (code, len(lines)) == (2, 1), output[-2000:]
    assert "Traceback" not in output


@pytest.mark.slow
@pytest.mark.parametrize(("case", "run"), PROCESSES, ids=[f"{run} {case}" for case, run in PROCESSES])
def test_a_run_is_refused_with_exit_code_2(case: MisuseCase, run: str, tmp_path: Path) -> None:
    assert_refused(case, run, tmp_path)


def test_workers_report_a_misuse_once(tmp_path: Path) -> None:
    assert_refused(MISSING[0], "contract", tmp_path, ["-n", "2"])
    report = ["--results", str(tmp_path), "--out", str(tmp_path / "out"), "--no-html"]
    ended = run_module("reports", report, os.environ)
    assert (ended.returncode, MISSING[0].line in ended.stdout) == (2, True), ended.stdout


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.mark.parametrize(("run", "options"), [("contract", ["-n", "2"]), ("load", [])])
def test_a_port_for_mail_that_is_taken_is_a_misuse(
    run: str, options: Sequence[str], taken_port: int, tmp_path: Path
) -> None:
    environ = {"FLOWBACK_URL": LOOPBACK, "FLOWBACK_SMTP": f"127.0.0.1:{taken_port}"}
    case = MisuseCase("flowback", f"FLOWBACK_SMTP: expected a free port at 127.0.0.1:{taken_port} to rec", environ)
    assert_refused(case, run, tmp_path, options)


@pytest.mark.parametrize("run", ["contract", "load"])
def test_nothing_is_sent_in_a_run_that_is_refused(run: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        environ = {"GETFLOW_URL": url, "GETFLOW_ORGANIZATION_ID": "abc"}
        assert_refused(MisuseCase("getflow", "GETFLOW_ORGANIZATION_ID: expected an integer", environ), run, tmp_path)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.slow
def test_a_run_of_another_api_opens_no_port_for_mail(taken_port: int, tmp_path: Path) -> None:
    environ = {"FLOWBACK_URL": LOOPBACK, "FLOWBACK_SMTP": f"127.0.0.1:{taken_port}"}
    code, output = ended_run("contract", "getflow", environ, ["-k", "dates_in_responses"], tmp_path)
    assert code in (0, 5), output


@pytest.mark.slow
def test_two_workers_share_the_port_for_mail(tmp_path: Path) -> None:
    """A reference served by hand sends to the one address, and a test in either worker gets its mail."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        smtp = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "fixtures.reference", "--api", "flowback", "--smtp", smtp, "--until-eof"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = re.search(r"http://[^\"]+", server.stdout.readline())
        assert url
        environ = {"FLOWBACK_URL": url[0], "FLOWBACK_SMTP": smtp}
        tests = ["-n", "2", "suites/flowback/test_register.py", "-k", "mail or username_is_listed"]
        code, output = ended_run("contract", "flowback", environ, tests, tmp_path)
        server.terminate()
    assert code == 0, output[-3000:]
