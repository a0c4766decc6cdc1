"""A small suite with every outcome, and a pytest run of it with the same plugins as suites/: data for report tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

CONFTEST = """
import os
from pathlib import Path
import pytest
from reports.results import run_manifest
from reports.results.records import short_message
from reports.results.result_log import ResultLog, ResultRecord
from reports.allure import labels
from suites.reporting.outcomes import ending_of, worst_ending

RUN, ENDINGS, ENTRY = pytest.StashKey(), pytest.StashKey(), pytest.StashKey()

def results(config):
    return Path(config.option.allure_report_dir)

def pytest_configure(config):
    is_worker = hasattr(config, "workerinput")
    config.stash[RUN] = config.workerinput["run"] if is_worker else run_manifest.begin(results(config))

@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["run"] = node.config.stash[RUN]

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    endings = item.stash.setdefault(ENDINGS, [])
    endings += [ending_of(call.excinfo.value)] if call.excinfo else []
    if call.when == "teardown":
        log = ResultLog(results(item.config), item.config.stash[RUN], os.environ.get("PYTEST_XDIST_WORKER", "main"))
        ending = worst_ending(endings)
        blamed = ("GETFLOW-ERR-10",) if ending.outcome == "failed" else ()
        title = dict(item.stash[ENTRY].labels)["title"]
        message = short_message(ending.message)
        log.append(
            ResultRecord("getflow", item.nodeid, title, ending.outcome, ("GETFLOW-ERR-10",), blamed, message)
        )
    return (yield)

def pytest_collection_modifyitems(items):
    for item in items:
        operation = item.callspec.params["operation"].label if hasattr(item, "callspec") else ""
        clause = labels.ClauseLabel("GETFLOW-ERR-10", "A parameter that is left out is named.", "line 74, stated")
        name, node = item.originalname, item.nodeid
        item.stash[ENTRY] = labels.describe("getflow", "errors", [clause], name, node, "So.", operation)
        labels.add_markers(item, item.stash[ENTRY])

def pytest_collection_finish(session):
    if not session.config.pluginmanager.has_plugin("dsession"):
        expected = {"getflow": len(session.items)}
        run_manifest.start(results(session.config), session.config.stash[RUN], expected, {"seed": "7"})

def pytest_sessionfinish(session, exitstatus):
    if not hasattr(session.config, "workerinput"):
        run_manifest.finish(results(session.config), session.config.stash[RUN], exitstatus)
"""
LONG = "GET /v2/organizations/{organization_id}/projects_of_all_kinds_and_ages/{project_id}/tasks"
SAMPLE = """
import json, os, signal, allure, pytest
from fixtures.http_client import Unreachable

class Operation:
    def __init__(self, label): self.label = label

@pytest.mark.parametrize("operation", [Operation("GET /tasks"), Operation("LONG")], ids=lambda param: param.label)
def test_invalid_requests_are_refused(operation):
    with allure.step("GET /tasks"):
        allure.attach(json.dumps({"limit": 1}), "response", allure.attachment_type.JSON)
        allure.attach("id,name\\n1,Ann\\n", "report", allure.attachment_type.CSV)

@pytest.fixture
def nobody():
    raise Unreachable("nobody there")

def test_needs_somebody(nobody): pass

def test_known_record():
    pytest.skip("needs a record")

def test_wrong():
    assert os.environ.get("KILL") != "yes" or os.kill(os.getpid(), signal.SIGKILL)
    assert 1 == 2, "GETFLOW-ERR-10: expected one"
"""


def pytest_on_sample(folder: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the sample suite in `folder`, with its results in `folder`/results."""
    folder.mkdir(exist_ok=True)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_errors.py").write_text(SAMPLE.replace("LONG", LONG))
    (folder / "pytest.ini").write_text("[pytest]\n")
    plugins = ["-p", "allure_pytest.plugin", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "--alluredir", "results"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
