"""A broken contract is our mistake: it is named in one line, exit code 2, and every other API is tested."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import contracts
from suites.reporting import broken_contracts
from suites.reporting.broken_contracts import find_broken, problem_of, selected_apis

ROOT = Path(__file__).parents[3]
TEST = "suites/generic/test_operations.py::test_documented_requests[flowback GET /users]"  # of another API


pytestmark = pytest.mark.xdist_group("broken_contracts")  # the tests share a copy of the files


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that a run needs; its bytecode is kept from run to run."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("contracts", "fixtures", "suites", "reports"):
        ignored = shutil.ignore_patterns("out", "selftest", "node_modules", "__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def checkout(copied: Path) -> Iterator[Path]:
    """That copy, without results; what a test changes of flowapp is put back after it."""
    yield copied
    for name in ("contracts/flowapp", "suites/flowapp", "fixtures/reference/flowapp"):
        shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    shutil.rmtree(copied / "results")


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest in that checkout; results go to its folder `results`."""
    command = [sys.executable, "-m", "pytest", "-q", "--alluredir", str(checkout / "results"), *arguments]
    environ = {"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, timeout=120, check=False)


def manifest(checkout: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((checkout / "results" / "run.json").read_text())
    return content


def replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    """A change of a file in a checkout; fails when the file has nothing to replace."""

    def change(checkout: Path) -> None:
        text = (checkout / path).read_text()
        assert old in text
        (checkout / path).write_text(text.replace(old, new, 1))

    return change


def append(path: str, text: str) -> Callable[[Path], None]:
    def change(checkout: Path) -> None:
        (checkout / path).write_text((checkout / path).read_text() + text)

    return change


def remove(path: str) -> Callable[[Path], None]:
    def change(checkout: Path) -> None:
        if (checkout / path).is_dir():
            shutil.rmtree(checkout / path)
        else:
            (checkout / path).unlink()

    return change


UNKNOWN_CLAUSE = """

@clause("FLOWAPP-NOWHERE-1")
def test_of_an_unknown_clause() -> None:
    assert 1
"""
BREAKS = {
    "readings are missing": (remove("contracts/flowapp/readings.yaml"), "contracts/flowapp/readings.yaml"),
    "no grade": (replace("contracts/flowapp/clauses.yaml", "  grade: ", "  grad: "), "contracts/flowapp/clauses.yaml"),
    "no reference server": (remove("fixtures/reference/flowapp"), "fixtures/reference/flowapp"),
    "a test names an unknown clause": (append("suites/flowapp/test_surveys.py", UNKNOWN_CLAUSE), "FLOWAPP-NOWHERE-1"),
}


@pytest.mark.parametrize("breakage", BREAKS)
def test_a_broken_contract_is_named_in_one_line_and_other_apis_are_tested(breakage: str, checkout: Path) -> None:
    change, named = BREAKS[breakage]
    change(checkout)
    done = run(checkout, TEST, "suites/flowapp")
    output = done.stdout + done.stderr
    assert done.returncode == 2, output
    assert "INTERNALERROR" not in output
    assert "Traceback" not in output
    (line,) = [line for line in output.splitlines() if "its contract is broken" in line]
    assert line.startswith("flowapp was not tested, because its contract is broken: ")
    assert named in line
    content = manifest(checkout)
    assert content["expected"] == {"flowback": 1}
    assert content["broken"] == {"flowapp": line.partition("broken: ")[2]}
    assert (content["exit_status"], content["complete"]) == (0, True)


@pytest.mark.slow
def test_xdist_workers_report_a_broken_contract_to_the_controller(checkout: Path) -> None:
    BREAKS["a test names an unknown clause"][0](checkout)
    done = run(checkout, "-n", "2", TEST, "suites/flowapp/test_surveys.py")
    assert done.returncode == 2, done.stdout
    assert done.stdout.count("FLOWAPP-NOWHERE-1") == 1


def test_a_run_of_only_a_broken_api_reports_it(checkout: Path) -> None:
    BREAKS["readings are missing"][0](checkout)
    done = run(checkout, "suites/flowapp")
    assert done.returncode == 2
    assert "flowapp was not tested" in done.stdout
    assert manifest(checkout)["expected"] == {}


@pytest.mark.slow
def test_a_run_of_another_api_does_not_report_a_broken_one(checkout: Path) -> None:
    BREAKS["readings are missing"][0](checkout)
    done = run(checkout, "suites/flowback/test_errors.py", "-k", "unknown_path")
    assert done.returncode == 0, done.stdout
    assert "broken" not in done.stdout


@pytest.mark.parametrize("api", contracts.apis())
def test_our_contracts_are_not_broken(api: str) -> None:
    assert problem_of(api) == ""


def test_no_contract_of_this_checkout_is_broken() -> None:
    assert find_broken({}) == {}


def test_an_api_without_reference_needs_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broken_contracts.reference, "apis", lambda: ["bitvis", "flowback", "getflow"])
    assert find_broken({}) == {
        "flowapp": "fixtures/reference/flowapp: expected a reference server, found none; write it or set FLOWAPP_URL"
    }
    assert find_broken({"FLOWAPP_URL": "http://127.0.0.1:1"}) == {}


@pytest.mark.parametrize(
    ("argument", "apis"),
    [
        ("suites", {"bitvis", "flowapp", "flowback", "getflow"}),
        ("suites/generic/test_rpc.py::test_valid_calls", {"bitvis", "flowapp", "flowback", "getflow"}),
        ("suites/flowapp", {"flowapp"}),
        ("suites/flowapp/test_surveys.py::test_a[b]", {"flowapp"}),
        ("suites/selftest", set()),
        (".", {"bitvis", "flowapp", "flowback", "getflow"}),
    ],
)
def test_arguments_select_apis(argument: str, apis: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert selected_apis([argument]) == apis
    assert selected_apis([]) == set()
