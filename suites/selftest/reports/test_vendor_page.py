"""The page for a vendor has every finding and nothing else, is small, holds no secret, and is readable in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.browser import Browser, BrowserNotFound, open_browser
from fixtures.reference.flowback.known_settings import KNOWN
from reports.__main__ import main
from reports.allure.report_page import foreign_references
from reports.history.run_changes import RunChanges
from reports.results.finding_record import FindingRecord
from reports.results.records import RunRecords
from reports.results.result_log import ResultRecord
from reports.results.run_manifest import RunManifest
from reports.results.verdicts import judge
from reports.vendor.vendor_page import MAX_PAGE, vendor_page
from suites.selftest.python_runs import run_module
from suites.selftest.reports.test_reports import leave, result
from suites.selftest.suites.test_outcomes import PAGES, environment, pytest_options

TARGET = "https://api.example/v2"
EXCHANGE = "GET https://api.example/v2/tasks\nAuthorization: ***\n\n--> 200 after 4.0 ms\nage: 1\n\n[]"


def finding(clause: str = "GETFLOW-ERR-10", **more: object) -> FindingRecord:
    parts = {"grade": "stated", "slot": f"header {clause}", "exchange": EXCHANGE, "command": "curl -sS x | y"}
    return FindingRecord(clause, "missing_param", "<limit>", **parts | more)


def page_of(*findings: FindingRecord, changes: RunChanges | None = None, complete: bool = True) -> str:
    tests = tuple(
        ResultRecord("getflow", f"test_{number}", "X", "failed", findings=(record,))
        for number, record in enumerate(findings)
    )
    manifest = RunManifest(
        {"getflow": len(tests)}, {"target of getflow": TARGET}, complete, 1, run="r", began=60.0, ended=120.0
    )
    records = RunRecords(tests, manifest, ())
    (judged,) = judge(records, ["getflow"])
    return vendor_page(judged, records, changes or RunChanges(since={it.id: 120.0 for it in judged.causes}))


def test_finding_has_sentence_line_exchange_and_command() -> None:
    page = page_of(finding())
    for text in (
        "A required parameter that is left out is refused with the code missing_param.",
        "line 74, stated",
        "<dd>missing_param</dd>",
        "<dd>&lt;limit&gt;</dd>",
        "curl -sS x | y",
        "GET https://api.example/v2/tasks",
        "200 after 4.0 ms",
        "<dd>1 time in 1 test</dd>",
        TARGET,
    ):
        assert text in page


def test_finding_says_since_when() -> None:
    assert "<dd>1970-01-01 00:02 UTC, the run of this page</dd>" in page_of(finding())


def test_older_finding_says_when_it_was_first_seen() -> None:
    first = judge(RunRecords((ResultRecord("getflow", "t", "X", "failed", findings=(finding(),)),), None, ()), [])
    page = page_of(finding(), changes=RunChanges(since={first[0].causes[0].id: 0.0 + 30}))
    assert "<dd>1970-01-01 00:00 UTC</dd>" in page


def test_warning_is_a_question() -> None:
    mild = finding("GETFLOW-VIEW-13", grade="public", is_warning=True)
    page = page_of(finding(), mild)
    assert re.findall(r'<h2>.*?<span class="badge (\w+)">', page) == ["breaks", "unclear"]


def test_incomplete_run_says_so() -> None:
    assert "<dt>Incomplete</dt><dd>pytest had problems" in page_of(finding(), complete=False)


@pytest.mark.parametrize("number", [1, 1000])
def test_page_is_below_a_megabyte_and_has_every_finding(number: int) -> None:
    findings = [
        finding(f"GETFLOW-X-{index}", exchange=EXCHANGE + "x" * 19_000, request="y" * 5_000) for index in range(number)
    ]
    page = page_of(*findings)
    assert len(page.encode()) < MAX_PAGE
    assert page.count("<article") == number


def test_exchange_of_few_findings_is_complete() -> None:
    assert "x" * 15_000 in page_of(*[finding(f"GETFLOW-X-{index}", exchange="x" * 15_000) for index in range(20)])


def test_page_has_no_script_and_fetches_nothing() -> None:
    page = page_of(finding(exchange="<script>alert(1)</script>", request='<img src="https://api.example/">'))
    assert "<script" not in page
    assert foreign_references(page) == []


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a run has found a fault of flowback, and which has the pages for its vendor."""
    folder = tmp_path_factory.mktemp("vendor")
    run_module("pytest", pytest_options(folder, PAGES, "--fault", "flowback.gives_total_page_as_text"), environment({}))
    out = folder / "out"
    out.mkdir()
    (out / "vendor-getflow.html").write_text("of an earlier run")
    assert main(["vendor", "--results", str(folder / "results"), "--out", str(out)]) == 0
    return out


def test_run_leaves_a_page_for_its_vendor(real: Path) -> None:
    page = (real / "vendor-flowback.html").read_text()
    assert "A page has total_page, an integer." in page
    assert "<dd>9 times in 9 tests</dd>" in page


@pytest.mark.parametrize("name", ["TOKEN", "OTHER_TOKEN"])
def test_page_holds_no_credentials(real: Path, name: str) -> None:
    if name in KNOWN:
        assert KNOWN[name] not in (real / "vendor-flowback.html").read_text()


def test_api_without_findings_has_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    (tmp_path / "vendor-getflow.html").write_text("of an earlier run")
    assert main(["vendor", "--results", str(folder), "--out", str(tmp_path)]) == 0
    assert not (tmp_path / "vendor-getflow.html").exists()
    assert capsys.readouterr().out == "getflow: nothing to report to its vendor\n"


def test_page_without_a_run_is_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vendor", "--results", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "run pytest first" in capsys.readouterr().err


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with open_browser(tmp_path_factory.mktemp("profile")) as opened:
            yield opened
    except BrowserNotFound as why:
        pytest.skip(str(why))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 500])
def test_page_fits_the_window_and_is_readable(browser: Browser, real: Path, width: int, scheme: str) -> None:
    browser.send_command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open_page((real / "vendor-flowback.html").as_uri(), width, 900, "flowback: 1 finding")
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    paper, ink = (browser.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) / 3 for colour in (paper, ink)]
    assert (brightness[0] > brightness[1]) == (scheme == "light")
    assert abs(brightness[0] - brightness[1]) > 150
