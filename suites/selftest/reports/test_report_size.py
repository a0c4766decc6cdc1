"""The HTML report stays small: of a run of all four APIs it is below 8 MB, though every finding keeps its evidence."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.allure import packing, report_page
from reports.results import run_manifest
from reports.results.finding_record import FindingRecord
from reports.results.result_log import ResultLog, ResultRecord

ROOT = Path(__file__).parents[3]
MAX_REPORT = 8_000_000  # bytes
TESTS, FINDINGS, ATTACHMENTS = 2_900, 380, 2
BODY = 1_200  # characters of a response

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("report")]


def leave_run(results: Path) -> str:
    """Results as a run of all suites leaves them, with bodies that hardly compress; the body of one finding."""
    chance = random.Random(7)
    run = run_manifest.begin(results)
    run_manifest.start(results, run, {"getflow": TESTS}, {"target of getflow": "https://api.example"})
    log = ResultLog(results, run, "main")
    for number in range(TESTS):
        node = f"suites/getflow/test_errors.py::test_fact_{number % 90}[GET /tasks-{number}]"
        body = json.dumps([{"id": chance.randrange(10**9), "name": chance.choice(("Ann", "Bo"))} for _ in range(30)])
        attachments = []
        for index in range(ATTACHMENTS):
            source = f"{uuid.UUID(int=chance.getrandbits(128))}-attachment.txt"
            (results / source).write_text(f"GET /tasks?limit={number}\n\n--> 200\n\n{body[:BODY]}{index}")
            attachments.append({"name": "GET /tasks → 200", "source": source, "type": "text/plain"})
        failed = number < FINDINGS
        labels = {"node": node, "run": run, "feature": "Errors", "story": "GETFLOW-ERR-10 · A parameter", "title": node}
        identity = str(uuid.UUID(int=chance.getrandbits(128)))
        result = {
            "uuid": identity, "name": node, "status": "failed" if failed else "passed", "attachments": attachments,
            "labels": [{"name": name, "value": value} for name, value in labels.items()], "start": 1, "stop": 2,
            "description": "**How it is checked:** a request without it is refused.", "parameters": [],
        }  # fmt: skip
        (results / f"{identity}-result.json").write_text(json.dumps(result))
        finding = FindingRecord("GETFLOW-ERR-10", "missing_param", body[:200], "stated", exchange=body)
        record = {"outcome": "failed", "blamed": ("GETFLOW-ERR-10",), "findings": (finding,)} if failed else {}
        log.append(ResultRecord("getflow", node, node, **{"outcome": "passed", **record}))
    run_manifest.finish(results, run, 1)
    return body[:BODY]


def test_report_of_all_suites_is_small_and_keeps_its_evidence(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "node").symlink_to(report_page.installed_packages(ROOT / "reports" / "out" / "node").parent)
    body = leave_run(tmp_path / "results")
    for _ in range(2):  # the second report has the history of the first
        main(["--results", str(tmp_path / "results"), "--out", str(out)])
    page = (out / "report.html").read_text()
    assert len(page.encode()) < MAX_REPORT
    attachments = [text for name, text in packing.unpack(page).items() if name.startswith("data/attachments")]
    assert len(attachments) == TESTS * ATTACHMENTS
    assert sum(body.encode() in text for text in attachments) == ATTACHMENTS
