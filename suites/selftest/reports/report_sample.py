"""A small suite with every outcome, and a pytest run of it with the same plugins as suites/: data for report tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

CONFTEST = """
from pathlib import Path
from reports.results import run_manifest
from reports.allure import labels

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        run_manifest.clear(Path(config.option.allure_report_dir))

def pytest_collection_modifyitems(items):
    for item in items:
        operation = item.callspec.params["operation"].label if hasattr(item, "callspec") else ""
        clause = labels.ClauseLabel("GETFLOW-ERR-10", "A parameter that is left out is named.", "line 74, stated")
        name, node = item.originalname, item.nodeid
        labels.add_markers(item, labels.describe("getflow", "errors", [clause], name, node, "So.", operation))

def pytest_collection_finish(session):
    if not session.config.pluginmanager.has_plugin("dsession"):
        expected = {"getflow": len(session.items)}
        run_manifest.start(Path(session.config.option.allure_report_dir), expected, {"seed": "7"})

def pytest_sessionfinish(session, exitstatus):
    if not hasattr(session.config, "workerinput"):
        run_manifest.finish(Path(session.config.option.allure_report_dir), exitstatus)
"""
LONG = "GET /v2/organizations/{organization_id}/projects_of_all_kinds_and_ages/{project_id}/tasks"
SAMPLE = """
import json, os, signal, allure, pytest

class Operation:
    def __init__(self, label): self.label = label

@pytest.mark.parametrize("operation", [Operation("GET /tasks"), Operation("LONG")], ids=lambda param: param.label)
def test_invalid_requests_are_refused(operation):
    with allure.step("GET /tasks"):
        allure.attach(json.dumps({"limit": 1}), "response", allure.attachment_type.JSON)
        allure.attach("id,name\\n1,Ann\\n", "report", allure.attachment_type.CSV)

@pytest.fixture
def nobody():
    raise ConnectionError("unreachable: nobody there")

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
