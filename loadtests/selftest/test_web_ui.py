"""Locust's web UI with our engine, as a person uses it: a browser fills the form, reads the numbers, stops the run.

Rule: everything is read off the page, and compared with the figures that the run left. Without a browser on this
machine these tests are skipped and say so.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fixtures.browser import Browser, NoBrowser, until
from fixtures.browser import browser as started
from fixtures.targets import embedded
from loadtests.selftest.trial import Trial, free_port, locust

pytestmark = pytest.mark.xdist_group("web-ui")  # one browser serves all

PLAIN = "from loadtests.getflow import Getflow"
RAISING = """
from loadtests import getflow
from loadtests.users import journey

class Getflow(getflow.Getflow):
    @journey(weight=20)
    def is_wrong(self):
        yield self.call("listTasks")
        raise KeyError("a mistake in a journey")
"""
BUTTONS = "document.querySelectorAll('button, [role=tab], a')"
ROWS = "[...document.querySelectorAll('tr')].map(row => [...row.cells].map(cell => cell.innerText))"
REQUESTS, FAILED = 2, 3  # columns of the statistics


class Page:
    """The page of one run of Locust."""

    def __init__(self, browser: Browser, trial: Trial, url: str) -> None:
        self.browser, self.trial, self.url = browser, trial, url

    def load(self) -> None:
        until(lambda: self.trial.process.poll() is not None or "Starting web interface" in self.trial.output, "the UI")
        assert self.trial.process.poll() is None, self.trial.output
        self.browser.go(self.url, 1280, 900, "ABOUT")

    def press(self, name: str) -> None:
        same = f"one.innerText.trim().toLowerCase() === {name.lower()!r}"
        self.browser.click(f"[...{BUTTONS}].find(one => {same} && !one.closest('[aria-hidden=true]'))")

    def fill(self, **fields: Any) -> None:
        for name, text in fields.items():
            self.browser.fill(f"[...document.querySelectorAll('input[name={name}]')].at(-1)", str(text))

    def open(self, section: str, field: str) -> None:
        """Opens a section of the form, if it is closed, so that its field can be filled."""
        self.press(section)
        until(lambda: self.browser.value(f"!!document.querySelector('input[name={field}]')?.offsetParent"), field)

    def says(self, pattern: str) -> re.Match[str]:
        """What the page says, once it says something like that."""
        found: re.Match[str] = until(
            lambda: re.search(pattern, self.browser.value("document.body.innerText")), f"on the page: {pattern}"
        )
        return found

    def rows(self) -> Sequence[list[str]]:
        """What the tables of the page hold."""
        known: Sequence[list[str]] = self.browser.value(ROWS)
        return known

    def requests(self) -> int:
        """How many requests the statistics show for all operations together."""
        return next((int(row[REQUESTS]) for row in self.rows() if "Aggregated" in row), -1)

    def start(self, **fields: Any) -> None:
        self.fill(**fields)
        self.press("start")
        self.says(r"Status\s+RUNNING")

    def stop(self, number: int) -> int:
        """Stops the run; gives how many requests it made, once the page says the same as the run's figures."""
        self.press("stop")
        self.says(r"Status\s+STOPPED")
        self.trial.results = self.trial.results.with_name("run" if number == 1 else f"run-{number}")
        until((self.trial.results / "result.json").exists, "the result")
        made = sum(self.trial.requests().values())
        until(lambda: self.requests() == made, f"{made} requests on the page")
        return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with started(tmp_path_factory.mktemp("profile")) as one:
            yield one
    except NoBrowser as why:
        pytest.skip(str(why))


@contextmanager
def page(browser: Browser, folder: Path, host: str, text: str, options: str = "") -> Iterator[Page]:
    port = free_port()
    web = f"--web-host 127.0.0.1 --web-port {port} --stop-timeout 5 {options}"
    with locust(folder, host, text, web) as trial:
        one = Page(browser, trial, f"http://127.0.0.1:{port}/")
        one.load()
        yield one
        assert text == RAISING or "Traceback" not in trial.output
        trial.process.terminate()
        trial.wait()


def test_a_run_is_started_watched_changed_stopped_and_started_again(browser: Browser, tmp_path: Path) -> None:
    with page(browser, tmp_path, "", PLAIN) as ui:  # no host: on our reference
        ui.start(userCount=3, spawnRate=3)
        ui.says(r"Users\s+3\s+RPS\s+[1-9]")
        before = until(lambda: max(0, ui.requests()), "requests")
        until(lambda: ui.requests() > before, "more requests")
        ui.press("edit")
        ui.says("Edit running load test")
        ui.fill(userCount=7)
        ui.press("update")
        ui.says(r"Users\s+7\s")
        ui.press("charts")
        until(lambda: browser.value("document.querySelectorAll('canvas').length") == 3, "three charts")
        ui.press("statistics")
        first = ui.stop(1)
        assert first > before
        assert sum(int(row[FAILED]) for row in ui.rows()[1:]) == 0
        ui.press("new")
        ui.says("Start new load test")
        ui.start(userCount=2, spawnRate=2)
        before = until(lambda: ui.requests() != first and ui.requests() > 100 and ui.requests(), "a hundred requests")
        ui.press("reset")
        until(lambda: 0 < ui.requests() < before, "statistics that begin anew")
        second = ui.stop(2)
        files = downloads(ui, tmp_path / "downloads")
        assert aggregated(files["requests"]) == second
        assert "GET /tasks" in files["report"]


def downloads(ui: Page, folder: Path) -> dict[str, str]:
    """What the page lets people download, by kind."""
    folder.mkdir()
    ui.browser.do("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    ui.press("download data")
    patterns = {kind: f"*_{kind}.csv" for kind in ("requests", "failures", "exceptions")}
    for kind in patterns:
        ui.press(f"download {kind} csv")
        until(lambda pattern=patterns[kind]: list(folder.glob(pattern)), f"the file of {kind}")
    patterns["report"] = "*.html"
    ui.browser.do("Page.navigate", url=f"{ui.url}stats/report?download=1")
    until(lambda: list(folder.glob("*.html")), "the report")
    return {kind: next(folder.glob(pattern)).read_text("utf-8") for kind, pattern in patterns.items()}


def aggregated(text: str) -> int:
    (total,) = [row for row in csv.DictReader(text.splitlines()) if row["Name"] == "Aggregated"]
    return int(total["Request Count"])


def test_what_is_wrong_in_the_form_is_said_there(browser: Browser, tmp_path: Path) -> None:
    with page(browser, tmp_path, "", PLAIN, "--scale 0.2") as ui:
        host = browser.value("document.querySelector('input[name=host]').value")
        ui.open("custom parameters", "rate")
        for field, wrong, said in (
            ("rate", "abc", "'abc' is no rate: write 200, or"),
            ("rate", "0:10,5", "is no rate: write 200, or"),
            ("judge", "some", "expected all, status, or sample=N"),
            ("host", "http://example.org", "nobody has permitted a load there: set LOAD_PERMITTED_BY="),
            ("host", "example", "GETFLOW_URL"),
        ):
            ui.fill(rate="", judge="all", host=host)
            ui.fill(**{field: wrong})
            ui.press("start")
            ui.says(re.escape(said))
        ui.fill(rate=20, host=host)
        ui.open("advanced options", "profile")
        ui.fill(profile="steep")
        ui.press("start")
        ui.says("expected one of smoke, load, stress, spike, soak, breakpoint, got 'steep'")
        assert not list(tmp_path.glob("run*")), "no run was begun"


def test_a_profile_and_a_rate_in_the_form_are_played(browser: Browser, tmp_path: Path) -> None:
    with page(browser, tmp_path, "", PLAIN, "--scale 0.2") as ui:
        ui.open("custom parameters", "rate")
        ui.open("advanced options", "profile")
        ui.fill(profile="smoke")
        ui.start(rate=20)
        ui.says(r"Status\s+STOPPED")  # by itself
        until((ui.trial.results / "result.json").exists, "the result")
        assert ui.trial.result["planned"] == 0.2 * 10, "seconds of smoke, scaled"
        (counted,) = ui.trial.result["arrivals"].values()
        assert counted["planned"] == pytest.approx(20 * ui.trial.result["seconds"], rel=0.3)
        assert counted["started"] > 10


def test_the_rate_of_a_run_is_changed_by_the_form(browser: Browser, tmp_path: Path) -> None:
    with page(browser, tmp_path, "", PLAIN) as ui:
        ui.open("custom parameters", "rate")
        ui.start(userCount=40, spawnRate=40, rate=5)
        ui.says(r"Users\s+40\s")
        ui.press("edit")
        ui.open("custom parameters", "rate")
        ui.fill(judge="status")
        ui.press("update")
        ui.press("logs")
        ui.says("judge stays all while a run goes on")
        ui.press("statistics")
        ui.press("edit")
        ui.open("custom parameters", "rate")
        ui.fill(judge="all", rate=200)
        ui.press("update")
        until(lambda: ui.requests() > 1000, "more requests than the first rate has in a minute")


def test_failures_name_clauses_and_exceptions_are_told(browser: Browser, tmp_path: Path) -> None:
    with (
        embedded(["getflow"], "127.0.0.1:9", ["--fault", "getflow.missing_parameter_is_a_wrong_value"]) as targets,
        page(browser, tmp_path, targets["getflow"].url, RAISING) as ui,
    ):
        ui.start(userCount=5, spawnRate=5)
        ui.press("failures")
        until(lambda: [row for row in ui.rows() if "GETFLOW-ERR-10" in row[-3]], "a failure of the clause")
        ui.press("exceptions")
        ui.says("a mistake in a journey")
