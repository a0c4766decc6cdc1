"""The HTML report of a pytest run fetches nothing, and a browser shows at once what is wrong.

Rule: without a browser on this machine the tests that need one are skipped with the reason; the others need only Node.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.browser import Browser, BrowserNotFound, wait_until
from fixtures.browser import open_browser as started
from reports.__main__ import main
from reports.allure import packing, report_page
from reports.mutation import kill_table
from reports.results import records, run_manifest
from suites.selftest.reports.kill_sample import kill_table_of
from suites.selftest.reports.report_sample import LONG, pytest_on_sample

ROOT = Path(__file__).parents[3]
REPORTS = ROOT / "reports"

pytestmark = pytest.mark.xdist_group("report")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    done = pytest_on_sample(folder)
    assert done.returncode == 1, done.stdout + done.stderr
    return folder / "results"


def test_every_outcome_has_its_place(sample: Path) -> None:
    outcomes = {test.title: (test.outcome, test.api, test.clauses) for test in records.read_records(sample).tests}
    place = ("getflow", ("GETFLOW-ERR-10",))
    assert outcomes == {
        "GET /tasks: invalid requests are refused": ("passed", *place),
        f"{LONG}: invalid requests are refused": ("passed", *place),
        "Needs somebody": ("unreachable", *place),
        "Known record": ("skipped", *place),
        "Wrong": ("failed", *place),
    }


@pytest.fixture(scope="module")
def sample_by_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parallel")
    done = pytest_on_sample(folder, "-p", "xdist.plugin", "-n", "2")
    assert done.returncode == 1, done.stdout + done.stderr
    return folder / "results"


def test_workers_leave_the_same_manifest(sample: Path, sample_by_workers: Path) -> None:
    parallel, alone = (run_manifest.read(folder) for folder in (sample_by_workers, sample))
    assert parallel
    assert alone
    own: dict[str, Any] = {"run": "", "began": 0.0, "ended": 0.0}
    assert replace(parallel, **own) == replace(alone, **own)
    assert all(manifest.began < manifest.ended for manifest in (parallel, alone))
    assert len(records.read_records(sample_by_workers).tests) == 5


def test_results_survive_a_killed_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pytest_on_sample(tmp_path / "killed", "-k", "not somebody", KILL="yes").returncode == -9
    options = ["--results", str(tmp_path / "killed" / "results"), "--out", str(tmp_path), "--no-html"]
    assert main(options) == 3
    text = capsys.readouterr().out
    assert text.split()[:4] == ["getflow", "inconclusive", "2", "checks,"]
    assert "1 of 4 collected tests left no result" in text


@pytest.fixture(scope="module")
def node() -> Path:
    """Where Node's packages are kept between runs; installs them when they are not there."""
    trees = REPORTS / "out" / "node"
    try:
        report_page.installed_packages(trees)
    except report_page.ReportError as error:
        pytest.fail(f"Allure could not be installed, so nothing is known about the HTML report: {error}")
    return trees


@pytest.fixture(scope="module")
def out(sample: Path, sample_by_workers: Path, node: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the report of the sample, and then of another run of it."""
    folder = tmp_path_factory.mktemp("out")
    (folder / "node").symlink_to(node)
    (folder / "prove").mkdir()
    (folder / "prove" / kill_table.FILE_NAME).write_text(kill_table.to_json(kill_table_of()), "utf-8")
    codes = [main(["--results", str(results), "--out", str(folder)]) for results in (sample, sample_by_workers)]
    assert codes == [4, 4]
    return folder


def history(out: Path) -> Sequence[dict[str, Any]]:
    (path,) = (out / "history").glob("allure-*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_page_fetches_nothing(out: Path) -> None:
    html = (out / "report.html").read_text()
    assert report_page.foreign_references(html) == []
    assert not re.search(r"google|gtag|dataLayer", re.sub(r'"[A-Za-z0-9+/=]{200,}"', '""', html))
    assert "<title> flowproof: unreachable </title>" in html


def test_nothing_but_the_page_is_left(out: Path) -> None:
    assert {path.name for path in out.iterdir()} == {
        "report.html",
        "coverage.html",
        "kill-table.html",
        "summary.md",
        "summary.json",
        "junit.xml",
        "flowproof.sarif",
        "ctrf.json",
        "gl-code-quality.json",
        "coverage.json",
        "history",
        "node",
        "prove",
    }


def test_our_style_names_what_the_page_has(out: Path) -> None:
    code = packing.unpack((out / "report.html").read_text())[packing.APP_NAME].decode()
    names = set(re.findall(r'data-testid\^?="([a-zA-Z-]+)"', (REPORTS / "allure" / "page.css").read_text()))
    put_together = re.compile(r"nav-tab-.*|test-result-(tab|status)-.*|.*-filter")  # by the code, from parts
    assert {name for name in names if name not in code and not put_together.fullmatch(name)} == set()
    assert "data-tree-scroll-container" in code


def test_a_page_that_would_fetch_is_refused() -> None:
    with pytest.raises(report_page.ReportError, match=r"example\.org"):
        report_page.without_analytics('<script src="https://example.org/x.js"></script>')
    with pytest.raises(report_page.ReportError, match="analytics"):
        report_page.without_analytics("<script>load('www.googletagmanager.com')</script>")


def test_history_grows_and_identities_last(out: Path) -> None:
    first, second = history(out)
    assert len(first["testResults"]) == 5  # each operation is a test of its own
    assert set(first["testResults"]) == set(second["testResults"])


def test_history_of_allure_repeats_no_message(out: Path) -> None:
    results = [result for run in history(out) for result in run["testResults"].values()]
    assert [name for result in results for name in ("message", "trace") if name in result] == []


def test_history_of_allure_keeps_two_runs(sample: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "node").symlink_to(out / "node")
    (path,) = (out / "history").glob("allure-*.jsonl")
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / path.name).write_text(path.read_text().splitlines(keepends=True)[0] * 60)
    main(["--results", str(sample), "--out", str(tmp_path)])
    assert len(history(tmp_path)) == 2


# Names of what leaves the window, and of titles that are cut off.
TOO_WIDE = """
[...document.querySelectorAll('[data-testid]')].filter(one => one.getBoundingClientRect().right > innerWidth
  || one.dataset.testid.endsWith('-title') && one.scrollWidth > one.clientWidth).map(one => one.dataset.testid)
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with started(tmp_path_factory.mktemp("profile")) as opened:
            yield opened
    except BrowserNotFound as why:
        pytest.skip(str(why))


Size = tuple[int, int]


@pytest.fixture(scope="module", params=[(1280, 800), (390, 844)], ids=lambda size: f"{size[0]}-{size[1]}")
def size(request: pytest.FixtureRequest) -> Size:
    """Width and height of the window: the tests of one size come one after the other."""
    known: Size = request.param
    return known


def report(browser: Browser, out: Path, width: int, height: int) -> str:
    """Loads the report in a window of that size and returns its text."""
    return browser.open_page((out / "report.html").as_uri(), width, height, "GETFLOW-ERR-10")


def show_report(browser: Browser, out: Path, size: Size) -> None:
    """Loads the report, which takes seconds, unless the browser shows it in that size, as a visitor finds it."""
    address = (out / "report.html").as_uri()
    as_found = f"location.href === '{address}' && innerWidth === {size[0]} && !document.querySelector('dialog[open]')"
    if not browser.evaluate(as_found):
        report(browser, out, *size)


def test_the_start_shows_the_verdicts_and_what_is_broken(browser: Browser, out: Path) -> None:
    text = report(browser, out, 1280, 800)
    expected = [
        "flowproof: unreachable",
        "unreachable\ngetflow",
        "target not known",
        "3 checks",
        "GETFLOW-ERR-10: expected one",
        "\n1 not judged",
        "\n1 skipped",
        "seed",
        "Errors",
        "GETFLOW-ERR-10 · A parameter",
    ]
    failing_first = ["\nWrong", "\nNeeds somebody", "\nGET /tasks: invalid requests are refused"]
    places = [text.index(text_part) for text_part in expected + failing_first]
    assert places == sorted(places)
    wait_until(
        lambda: browser.evaluate("!!document.querySelector('[class*=tree-item-focused]')"), "the first test's mark"
    )
    wait_until(
        lambda: browser.evaluate("document.querySelector('[data-tree-scroll-container]').scrollTop === 0"), "the top"
    )
    assert [
        address[:80] for address in browser.requested_urls if not address.startswith(("file:", "data:", "blob:"))
    ] == []


def test_a_skipped_test_says_what_it_needs(size: Size, browser: Browser, out: Path) -> None:
    show_report(browser, out, size)
    folded = "[...document.querySelectorAll('#flowproof-overview details')].find(it => it.innerText === '1 skipped')"
    browser.evaluate(f"{folded}.firstChild.click()")
    assert "1 x needs a record" in browser.wait_for_text("needs a record")
    assert browser.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_overview_has_the_colours_of_the_page(scheme: str, browser: Browser, out: Path) -> None:
    browser.send_command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open_page((out / "report.html").as_uri(), 500, 900, "3 checks")
    ink = browser.evaluate("getComputedStyle(document.querySelector('#flowproof-overview p')).color")
    brightness = sum(map(int, re.findall(r"\d+", ink)[:3])) / 3
    browser.send_command("Emulation.setEmulatedMedia", features=[])
    assert (brightness < 128) == (scheme == "light")


def test_no_share_of_passed_tests_stands_beside_a_run_without_evidence(browser: Browser, out: Path) -> None:
    report(browser, out, 1280, 800)
    ring = "document.querySelector('article:has([data-chart-tooltip-trigger])')"
    assert browser.evaluate(f"getComputedStyle({ring}).display") == "none"
    browser.evaluate(
        "document.querySelectorAll('#flowproof-overview .verdict').forEach(it => it.className = 'verdict pass')"
    )
    assert browser.evaluate(f"getComputedStyle({ring}).display") != "none"


def test_the_tree_has_each_test_once(browser: Browser, out: Path) -> None:
    report(browser, out, 1280, 800)
    leaves = "[...document.querySelectorAll('[data-testid=tree-leaf]')].length"
    wait_until(lambda: browser.evaluate(f"{leaves} === 5"), "five tests in the tree")
    assert browser.evaluate("document.querySelector('[data-testid=metadata-item-total]').innerText") == "Total\n5"


def test_one_click_leads_to_the_finding(size: Size, browser: Browser, out: Path) -> None:
    show_report(browser, out, size)
    assert browser.evaluate("innerWidth") == size[0]
    assert browser.evaluate(TOO_WIDE) == []
    leaf = "[...document.querySelectorAll('[data-testid=tree-leaf]')].find(one => one.innerText.includes('Wrong'))"
    browser.evaluate(f"{leaf}.click()")
    text = browser.wait_for_text("Test body")
    assert "GETFLOW-ERR-10: expected one" in text
    assert browser.evaluate(TOO_WIDE) == []
    frame = "document.querySelector('[data-testid=test-result-description-frame]').srcdoc"
    description = wait_until(lambda: browser.evaluate(frame), "the description")
    assert "line 74, stated" in description
    assert "pytest test_errors.py::test_wrong" in description


def test_a_button_shows_clauses_and_coverage(size: Size, browser: Browser, out: Path) -> None:
    show_report(browser, out, size)
    frame = opened(browser, 0)
    text = wait_until(lambda: browser.evaluate(f"{frame}.querySelector('#getflow')?.innerText"), "the page")
    assert "Coverage is missing or incomplete: the run left no counters" in text
    assert (
        text.index("GETFLOW-GEN-1")
        < text.index("GETFLOW-ERR-10")
        < text.index("GETFLOW-AMB-15")
        < text.index("GET /tasks")
    )
    assert browser.evaluate(f"{frame}.body.scrollWidth <= innerWidth")
    browser.evaluate("document.querySelector('dialog[open] .flowproof-close').click()")
    assert not browser.evaluate("!!document.querySelector('dialog[open]')")
    assert browser.evaluate(TOO_WIDE) == []


def test_another_button_shows_the_kill_table(size: Size, browser: Browser, out: Path) -> None:
    show_report(browser, out, size)
    frame = opened(browser, 1)
    text = wait_until(lambda: browser.evaluate(f"{frame}.querySelector('#variants')?.innerText"), "the page")
    assert "Variants without complaint" in text
    assert browser.evaluate(f"{frame}.body.scrollWidth <= innerWidth")
    top = f"{frame}.querySelector('#variants').getBoundingClientRect().top"
    assert browser.evaluate(top) > size[1]
    browser.evaluate(f"{frame}.querySelector('nav a[href=\"#variants\"]').click()")
    wait_until(lambda: browser.evaluate(f"{top} < innerHeight"), "the section of the link")
    browser.evaluate(f"{frame}.querySelector('input').focus()")
    browser.press_key("Escape")
    wait_until(lambda: browser.evaluate("!document.querySelector('dialog[open]')"), "the report again")


def test_the_filter_leaves_the_rows_that_hold_every_word(browser: Browser, out: Path) -> None:
    browser.open_page((out / "kill-table.html").as_uri(), 1280, 800, "Kill table")
    browser.evaluate("document.querySelector('input').focus()")
    shown = "[...document.querySelectorAll('.row')].filter(row => row.offsetParent).map(row => row.innerText)"
    everything = len(browser.evaluate(shown))
    browser.send_command("Input.insertText", text="GETFLOW-ERR-10 caught")
    left = browser.evaluate(shown)
    assert 0 < len(left) < everything
    assert [row for row in left if "GETFLOW-ERR-10" not in row or "caught" not in row] == []
    assert browser.evaluate("document.querySelector('output').value") == f"{len(left)} of {everything} rows"
    sections = "[...document.querySelectorAll('section:has(.row)')].filter(section => section.offsetParent)"
    assert browser.evaluate(f"{sections}.length") == 1


def opened(browser: Browser, number: int) -> str:
    """Opens one of our pages by its button: the script that is its document."""
    buttons = "document.querySelectorAll('body > div .flowproof-open')"
    wait_until(lambda: browser.evaluate(f"{buttons}.length === 2"), "the buttons in the header")
    browser.evaluate(f"{buttons}[{number}].click()")
    page = "document.querySelector('dialog[open] iframe').contentDocument"
    loaded = f"{page}.readyState === 'complete' && {page}.querySelector('main, section') !== null"
    wait_until(lambda: browser.evaluate(loaded), "our page in the dialog")
    return page
