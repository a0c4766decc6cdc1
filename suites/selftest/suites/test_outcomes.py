"""Every way in which a run can end, by real processes: all outputs say the same, and the exit code is that of the
verdict.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import jsonschema_rs
import pytest
import trustme

from reports.__main__ import main
from reports.allure import report_page
from reports.results.verdicts import EXIT_CODES
from suites.reporting.result_recorder import name_several
from suites.selftest.python_runs import run_module
from suites.selftest.reports import format_schemas
from suites.selftest.reports.test_reports import leave, result

ROOT = Path(__file__).parents[3]
SUMMARY = jsonschema_rs.Draft202012Validator(json.loads((ROOT / "reports" / "summary.schema.json").read_text()))
TEST = "suites/getflow/test_credentials.py"
CHECK = "suites/generic/test_operations.py::test_documented_requests[getflow GET /lists]"
PAGES = "suites/flowback/test_page_envelope.py"
STATED_FAULT = "flowback.counts_the_rows_of_the_page"  # breaks a clause that an example shows
INFERRED_FAULT = "flowback.rounds_the_pages_down"  # breaks a clause of the grade inferred
PATIENCE = 200.0  # seconds until a process that does not end is a failure

pytestmark = pytest.mark.xdist_group("report")


class Ended(NamedTuple):
    """What a run of pytest, and `python -m reports` after it, left: the codes, the texts and the folder of reports.

    `has_page` is whether report.html is among the reports: it takes seconds to make.
    """

    pytest_code: int
    pytest_text: str
    code: int
    text: str
    out: Path
    has_page: bool = True


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without the settings of pytest runs and targets, and with these."""
    kept = {name: value for name, value in os.environ.items() if not re.match(r"PYTEST|LOAD_|[A-Z]+_URL$", name)}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_PROXY": "*", **settings}


def pytest_options(folder: Path, *arguments: str) -> list[str]:
    """The arguments of pytest for a run with its results in that folder."""
    return ["-q", "-p", "no:cacheprovider", "--alluredir", str(folder / "results"), *arguments]


def command(folder: Path, *arguments: str) -> list[str]:
    """A run with its results in that folder, for a process that imports everything itself."""
    return [sys.executable, "-m", "pytest", *pytest_options(folder, *arguments)]


def announce(folder: Path) -> None:
    """Leaves an older run that passed, and announces the next one, as the gate does."""
    leave(folder / "results", result("passed"))
    assert main(["begin", "--results", str(folder / "results")]) == 0


def reports(folder: Path, node: Path | None = None) -> tuple[int, str]:
    """`python -m reports` on that folder, with report.html if `node` has its packages."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    if node and not (out / "node").exists():
        (out / "node").symlink_to(node)
    options = ["--results", str(folder / "results"), "--out", str(out), "--expect", "all"]
    ended = run_module("reports", [*options, *([] if node else ["--no-html"])], environment({}), PATIENCE)
    return ended.returncode, ended.stdout + ended.stderr


def ended_run(folder: Path, node: Path | None, settings: Mapping[str, str], *arguments: str) -> Ended:
    """An announced run with these settings and arguments, and its reports."""
    announce(folder)
    ended = run_module("pytest", pytest_options(folder, *arguments), environment(settings), PATIENCE)
    code, text = reports(folder, node)
    return Ended(ended.returncode, ended.stdout + ended.stderr, code, text, folder / "out", node is not None)


def assert_all_say(run: Ended, verdict: str) -> None:
    """Exit code, console, summaries, JUnit, SARIF, CTRF and, where there is one, the HTML page have that verdict."""
    code = EXIT_CODES[verdict]
    assert run.code == code, run.pytest_text[-2000:] + run.text
    assert re.search(rf"^flowproof: {verdict} \(exit code {code}\)", run.text, re.MULTILINE), run.text
    facts = json.loads((run.out / "summary.json").read_text())
    assert (facts["verdict"], facts["exit_code"]) == (verdict, code)
    assert [error.message for error in SUMMARY.iter_errors(facts)] == []
    assert re.match(rf"# flowproof: \S+ {verdict}\n", (run.out / "summary.md").read_text())
    junit = ElementTree.parse(run.out / "junit.xml").getroot()
    values = {item.get("name"): item.get("value") for item in junit.iterfind("testsuite[@name='run']//property")}
    assert values == {"verdict": verdict, "exit_code": str(code)}
    counts = (int(junit.get("failures", "")), int(junit.get("errors", "")))
    assert [bool(count) for count in counts] == [verdict == "fail", verdict not in ("pass", "fail")]
    (invocation,) = json.loads((run.out / "flowproof.sarif").read_text())["runs"][0]["invocations"]
    assert (invocation["exitCodeDescription"], invocation["exitCode"]) == (verdict, code)
    assert format_schemas.problems(run.out) == []
    extra = json.loads((run.out / "ctrf.json").read_text())["results"]["extra"]
    assert (extra["verdict"], extra["exitCode"]) == (verdict, code)
    assert "Traceback" not in run.pytest_text + run.text
    if run.has_page:
        assert_page_says(run, verdict)


def assert_page_says(run: Ended, verdict: str) -> None:
    """The title and the history of the HTML page have that verdict."""
    assert f"<title> flowproof: {verdict} </title>" in (run.out / "report.html").read_text()
    (path,) = (run.out / report_page.HISTORY).glob("allure-*.jsonl")
    history = path.read_text().splitlines()[-1]
    statuses = {test["status"] for test in json.loads(history)["testResults"].values()}
    assert (statuses <= {"passed", "skipped"}) == (verdict in ("pass", "inconclusive")) or not statuses


@pytest.fixture(scope="module")
def node() -> Path:
    """Where Node's packages are kept between runs."""
    trees = ROOT / "reports" / "out" / "node"
    report_page.installed_packages(trees)
    return trees


@contextmanager
def listening(serve: Callable[[socket.socket], object] | None) -> Iterator[int]:
    """The port of a server that gives each connection to `serve`; of one that refuses all without it."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        if serve is None:
            yield port  # bound and not listening
            return
        server.listen()
        connections: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connections.append(server.accept()[0])
                except OSError:
                    return
                threading.Thread(target=serve, args=(connections[-1],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield port
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for connection in connections:
                connection.close()


def silence(_: socket.socket) -> None:
    """Accepts and never answers."""


def hang_up(connection: socket.socket) -> None:
    """Accepts and closes at once."""
    connection.close()


def untrusted(connection: socket.socket) -> None:
    """Shows a certificate of an authority that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    try:
        context.wrap_socket(connection, server_side=True)
    except OSError:
        connection.close()


UNREACHABLE: dict[str, tuple[str, Callable[[socket.socket], object] | None, str]] = {
    "refused": ("http://127.0.0.1:{port}/getflow", None, "Connection refused"),
    "unknown host": ("http://getflow.invalid:{port}/getflow", None, "getflow.invalid"),
    "certificate not trusted": ("https://127.0.0.1:{port}/getflow", untrusted, "certificate that is not accepted"),
    "closes at once": ("http://127.0.0.1:{port}/getflow", hang_up, "connection closed before a response came"),
    "never answers": ("http://127.0.0.1:{port}/getflow", silence, "no response within the time limit"),
}


@pytest.mark.parametrize(
    ("url", "serve", "reason"),
    [
        pytest.param(*row, id=name, marks=() if name == "refused" else pytest.mark.slow)
        for name, row in UNREACHABLE.items()
    ],
)
def test_a_target_that_does_not_answer_is_unreachable_in_one_line(
    url: str, serve: Callable[[socket.socket], object] | None, reason: str, tmp_path: Path, node: Path
) -> None:
    needed = {} if url.startswith("http://127") else {"GETFLOW_TOKEN": "x", "GETFLOW_ORGANIZATION_ID": "52"}
    with listening(serve) as port:
        run = ended_run(tmp_path, node, {"GETFLOW_URL": url.format(port=port), **needed}, TEST, "-n", "2")
    assert_all_say(run, "unreachable")
    assert run.pytest_code == 4
    counts = "0 checks, 0 clauses, 0 findings"
    assert re.search(rf"^getflow +unreachable +{counts}, \d+ unreachable$", run.text, re.MULTILINE)
    (line,) = [line for line in run.text.splitlines() if reason in line]
    assert line.startswith("    unreachable: ")
    assert "set GETFLOW_URL" in line or "GETFLOW_CA" in line


@pytest.mark.slow
def test_nothing_more_is_sent_to_a_target_that_does_not_answer(tmp_path: Path) -> None:
    requests: list[bytes] = []

    def hang_up_later(connection: socket.socket) -> None:
        request = connection.recv(65_536)
        if b"/.well-known/" not in request:
            requests.append(request)
        connection.close()

    with listening(hang_up_later) as port:
        settings = {"GETFLOW_URL": f"http://127.0.0.1:{port}/getflow"}
        run_module("pytest", pytest_options(tmp_path, TEST), environment(settings))
    assert len(requests) == 1


MISUSE: list[tuple[str, dict[str, str], str]] = [
    ("before the tests", {"GETFLOW_READING_6": "nonsense"}, "GETFLOW_READING_6: expected one of "),
    ("settings missing", {"GETFLOW_URL": "http://0.0.0.0:{port}/getflow"}, "GETFLOW_"),
]


def not_found(connection: socket.socket) -> None:
    """Answers every request with 404."""
    while connection.recv(65_536):
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.slow
@pytest.mark.parametrize(("settings", "reason"), [row[1:] for row in MISUSE], ids=[row[0] for row in MISUSE])
def test_an_error_of_the_user_is_misuse_in_one_line(
    settings: dict[str, str], reason: str, tmp_path: Path, node: Path
) -> None:
    with listening(not_found) as port:
        named = {name: value.format(port=port) for name, value in settings.items()}
        run = ended_run(tmp_path, node, named, CHECK)
    assert_all_say(run, "misuse")
    assert run.pytest_code == 2
    (line,) = [line for line in run.text.splitlines() if line.startswith("misuse: ")]
    assert reason in line


def test_a_kept_contract_passes_and_expects_only_what_was_selected(tmp_path: Path, node: Path) -> None:
    run = ended_run(tmp_path, node, {}, CHECK)
    assert_all_say(run, "pass")
    assert run.pytest_code == 0
    assert list(json.loads((run.out / "summary.json").read_text())["apis"]) == ["getflow"]


def test_a_broken_promise_fails(tmp_path: Path, node: Path) -> None:
    run = ended_run(tmp_path, node, {}, PAGES, "--fault", STATED_FAULT)
    assert_all_say(run, "fail")
    assert run.pytest_code == 1


@pytest.mark.parametrize(("ci", "workers"), [("", ["-n", "2"]), ("true", [])], ids=["terminal, workers", "CI server"])
def test_one_wrong_type_is_one_cause_everywhere(tmp_path: Path, ci: str, workers: list[str]) -> None:
    tests = [PAGES, "suites/generic/test_operations.py", "-k", "flowback and (total_page or GET)"]
    run = ended_run(tmp_path, None, {"CI": ci}, *tests, "--fault", "flowback.gives_total_page_as_text", *workers)
    assert_all_say(run, "fail")
    (cause,) = json.loads((run.out / "summary.json").read_text())["apis"]["flowback"]["causes"]
    assert (cause["clause"], cause["example"]["slot"], len(cause["tests"])) == ("FLOWBACK-LIST-7", "/total_page", 7)
    assert [node.rpartition("::")[2] for node in cause["blocked"]] == ["test_total_page_is_the_number_of_pages"]
    assert cause["example"]["account"] == "FLOWBACK_TOKEN"
    heading, times = "FLOWBACK-LIST-7: A page has total_page, an integer.", "7 findings in 7 tests"
    for text in (run.pytest_text, run.text, (run.out / "summary.md").read_text()):
        assert heading in text
        assert re.search(rf"^ +how often +{times}$|^   how often +{times}$", text, re.MULTILINE)
        assert '-H "Authorization: $FLOWBACK_TOKEN"' in text
    assert run.pytest_text.count("  received   ") == 2, "the first failure, and the cause"
    assert run.pytest_text.splitlines().count(f"cause {cause['id']}, as above") == 5
    junit = ElementTree.parse(run.out / "junit.xml")
    (listed,) = junit.iterfind(f"testsuite/properties/property[@name='cause {cause['id']}']")
    assert listed.get("value") == f"{heading} {times}"
    assert {str(failure.text).split("\n")[0] for failure in junit.iter("failure")} == {heading}


def test_a_breach_of_what_was_inferred_is_a_warning_everywhere(tmp_path: Path, node: Path) -> None:
    run = ended_run(tmp_path, node, {}, PAGES, "--fault", INFERRED_FAULT)
    assert_all_say(run, "pass")
    assert run.pytest_code == 0
    assert "1 contract warning in" in run.pytest_text
    assert re.search(r"^flowback +pass +9 checks, 6 clauses, 0 findings, 1 cause, 1 warning$", run.text, re.MULTILINE)
    assert "    1. warning: FLOWBACK-LIST-23: " in run.text
    assert run.text.splitlines()[-2].endswith("kept, apart from 1 warning")
    facts = json.loads((run.out / "summary.json").read_text())
    (warning,) = facts["apis"]["flowback"]["warnings"]
    assert warning["clauses"] == ["FLOWBACK-LIST-23"]
    coverage = json.loads((run.out / "coverage.json").read_text())
    assert coverage["flowback"]["clause_states"]["warning"] == 1
    assert "## flowback: warnings" in (run.out / "summary.md").read_text()
    texts = [text.text for text in ElementTree.parse(run.out / "junit.xml").iter("system-out")]
    assert len(texts) == 1
    assert str(texts[0]).startswith("warning: FLOWBACK-LIST-23")


@pytest.mark.parametrize(("count", "name"), [(1, "contract warning"), (2, "contract warnings")])
def test_several_warnings_have_the_plural(count: int, name: str) -> None:
    stats: dict[str, list[Any]] = {"passed": [1, 2], "contract warning": list(range(count))}
    name_several(stats)
    assert {key: len(reports) for key, reports in stats.items()} == {"passed": 2, name: count}


def test_a_breach_of_what_was_inferred_fails_a_strict_run(tmp_path: Path) -> None:
    run = ended_run(tmp_path, None, {}, PAGES, "--fault", INFERRED_FAULT, "--strict")
    assert_all_say(run, "fail")
    assert run.pytest_code == 1


def test_a_warning_reaches_the_process_that_started_the_worker(tmp_path: Path) -> None:
    run = ended_run(tmp_path, None, {}, PAGES, "--fault", INFERRED_FAULT, "-n", "1")
    assert_all_say(run, "pass")
    assert "1 contract warning in" in run.pytest_text


@pytest.mark.slow
def test_one_dead_api_of_two_leaves_the_other_its_verdict(tmp_path: Path, node: Path) -> None:
    with listening(None) as port:
        settings = {"FLOWAPP_URL": f"http://127.0.0.1:{port}/flowapp"}
        run = ended_run(tmp_path, node, settings, CHECK, "suites/flowapp/test_sso.py")
    assert_all_say(run, "unreachable")
    apis = json.loads((run.out / "summary.json").read_text())["apis"]
    assert {api: facts["verdict"] for api, facts in apis.items()} == {"getflow": "pass", "flowapp": "unreachable"}


TEST_OF_OURS = """
from contracts.errors import UsageError

def test_ours(api):
    {statement}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "verdict", "line"),
    [
        ("dict()['a']", "broken", "    broken: KeyError: 'a'\n"),
        ("raise UsageError('FLOW_X: expected 1')", "misuse", "    misuse: FLOW_X: expected 1\n"),
    ],
    ids=["broken", "misuse"],
)
def test_what_a_test_raises_decides(statement: str, verdict: str, line: str, tmp_path: Path, node: Path) -> None:
    (tmp_path / "getflow").mkdir()
    (tmp_path / "getflow" / "test_ours.py").write_text(TEST_OF_OURS.format(statement=statement))
    options = ["--rootdir", str(ROOT), "-p", "suites.conftest", "--tb", "line"]
    run = ended_run(tmp_path, node, {}, *options, str(tmp_path / "getflow"))
    assert_all_say(run, verdict)
    assert line in run.text


def conftest_with_an_error(folder: Path) -> list[str]:
    """A folder whose conftest.py is no Python."""
    (folder / "odd").mkdir()
    (folder / "odd" / "conftest.py").write_text("def (")
    return [str(folder / "odd")]


# How pytest may end before it begins, and whether the page is looked at: that an older run is beside it is seen in one.
NEVER_BEGUN: list[tuple[str, Callable[[Path], list[str]], bool]] = [
    ("unknown option", lambda _: [CHECK, "--bogus"], True),
    ("syntax error in a conftest", conftest_with_an_error, False),
    ("missing folder", lambda _: ["suites/nowhere"], False),
    ("missing plugin", lambda _: ["-p", "suites.no_such_plugin"], False),
]


@pytest.mark.parametrize(
    ("arguments", "has_page"), [row[1:] for row in NEVER_BEGUN], ids=[row[0] for row in NEVER_BEGUN]
)
def test_a_pytest_that_never_begins_is_broken_beside_an_older_run(
    arguments: Callable[[Path], list[str]], has_page: bool, tmp_path: Path, node: Path
) -> None:
    run = ended_run(tmp_path, node if has_page else None, {}, *arguments(tmp_path))
    assert_all_say(run._replace(pytest_text=""), "broken")
    assert run.text.count("broken: ") == 1


@pytest.mark.slow
def test_a_pytest_that_is_killed_before_it_begins_is_broken(tmp_path: Path, node: Path) -> None:
    announce(tmp_path)
    process = subprocess.Popen(command(tmp_path, CHECK), cwd=ROOT, env=environment({}), stdout=subprocess.DEVNULL)
    process.kill()
    code, text = reports(tmp_path, node) if process.wait(PATIENCE) else (0, "")
    assert_all_say(Ended(-9, "", code, text, tmp_path / "out"), "broken")


@pytest.mark.slow
def test_a_killed_run_keeps_its_results_and_is_inconclusive(tmp_path: Path, node: Path) -> None:
    announce(tmp_path)
    process = subprocess.Popen(
        command(tmp_path, "suites/getflow"), cwd=ROOT, env=environment({}), stdout=subprocess.DEVNULL
    )
    log = tmp_path / "results" / "outcomes-main.jsonl"
    try:
        deadline = time.monotonic() + PATIENCE
        while not (log.exists() and log.stat().st_size):
            assert process.poll() is None, "expected a result before the end"
            assert time.monotonic() < deadline, "expected a result"
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait(PATIENCE)
    code, text = reports(tmp_path, node)
    assert_all_say(Ended(-9, "", code, text, tmp_path / "out"), "inconclusive")
    assert re.search(r"^getflow +inconclusive +[1-9]\d* checks?, ", text, re.MULTILINE)
    assert "the run has no end mark" in text
