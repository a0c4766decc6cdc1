"""Locust's web UI with our engine, as a person uses it: a browser fills the form, reads the numbers, stops the run.

Rule: everything is read off the page, and compared with the figures that the run left. Without a browser on this
machine these tests are skipped and say so.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fixtures import browser as browsers
from fixtures.browser import Browser, BrowserNotFound, wait_until
from fixtures.browser import open_browser as started
from fixtures.targets import embedded_references
from loadtests.selftest.locust_run import PATIENCE, LocustRun, free_port, running_locust
from loadtests.selftest.shop_server import running_shop

pytestmark = pytest.mark.xdist_group("web-ui")  # one browser serves all

PLAIN = "from loadtests.getflow import Getflow"
RAISING = """
from loadtests import getflow
from loadtests.user.journey_user import journey

class Getflow(getflow.Getflow):
    @journey(weight=20)
    def is_wrong(self):
        yield self.request_for("listTasks")
        raise KeyError("a mistake in a journey")
"""
BUTTONS = "document.querySelectorAll('button, [role=tab], a')"
ROWS = "[...document.querySelectorAll('tr')].map(row => [...row.cells].map(cell => cell.innerText))"
REQUESTS, FAILED = 2, 3  # columns of the statistics


class Page:
    """The page of one run of Locust."""

    def __init__(self, browser: Browser, run: LocustRun, url: str) -> None:
        self.browser, self.run, self.url = browser, run, url

    def load(self) -> None:
        wait_until(lambda: self.run.process.poll() is not None or "Starting web interface" in self.run.output, "the UI")
        assert self.run.process.poll() is None, self.run.output
        self.browser.open_page(self.url, 1280, 900, "ABOUT")

    def press(self, name: str) -> None:
        same = f"one.innerText.trim().toLowerCase() === {name.lower()!r}"
        self.browser.click(f"[...{BUTTONS}].find(one => {same} && !one.closest('[aria-hidden=true]'))")

    def fill(self, **fields: Any) -> None:
        for name, text in fields.items():
            self.browser.fill(f"[...document.querySelectorAll('input[name={name}]')].at(-1)", str(text))

    def open(self, section: str, field: str) -> None:
        """Opens a section of the form, if it is closed, so that its field can be filled."""
        self.press(section)
        wait_until(
            lambda: self.browser.evaluate(f"!!document.querySelector('input[name={field}]')?.offsetParent"), field
        )

    def says(self, pattern: str) -> re.Match[str]:
        """What the page says, once it says something like that."""
        match: re.Match[str] = wait_until(
            lambda: re.search(pattern, self.browser.evaluate("document.body.innerText")), f"on the page: {pattern}"
        )
        return match

    def rows(self) -> Sequence[list[str]]:
        """What the tables of the page hold."""
        known: Sequence[list[str]] = self.browser.evaluate(ROWS)
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
        self.run.results = self.run.results.with_name("run" if number == 1 else f"run-{number}")
        wait_until((self.run.results / "result.json").exists, "the result")
        requests = sum(self.run.requests().values())
        wait_until(lambda: self.requests() == requests, f"{requests} requests on the page")
        return requests


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with pytest.MonkeyPatch.context() as patch, started(tmp_path_factory.mktemp("profile")) as run:
            patch.setattr(browsers, "TIMEOUT", PATIENCE)
            yield run
    except BrowserNotFound as why:
        pytest.skip(str(why))


@contextmanager
def page(browser: Browser, folder: Path, host: str, text: str, options: str = "") -> Iterator[Page]:
    port = free_port()
    web = f"--web-host 127.0.0.1 --web-port {port} --stop-timeout 5 {options}"
    with running_locust(folder, host, text, web) as run:
        ui = Page(browser, run, f"http://127.0.0.1:{port}/")
        ui.load()
        yield ui
        assert text == RAISING or "Traceback" not in run.output
        run.process.terminate()
        run.wait()


@pytest.mark.slow
def test_a_run_is_started_watched_changed_stopped_and_started_again(browser: Browser, tmp_path: Path) -> None:
    with page(browser, tmp_path, "", PLAIN) as ui:  # no host: on our reference
        ui.start(userCount=3, spawnRate=3)
        ui.says(r"Users\s+3\s+RPS\s+[1-9]")
        before = wait_until(lambda: max(0, ui.requests()), "requests")
        wait_until(lambda: ui.requests() > before, "more requests")
        ui.press("edit")
        ui.says("Edit running load test")
        ui.fill(userCount=7)
        ui.press("update")
        ui.says(r"Users\s+7\s")
        ui.press("charts")
        wait_until(lambda: browser.evaluate("document.querySelectorAll('canvas').length") == 3, "three charts")
        ui.press("statistics")
        first = ui.stop(1)
        assert first > before
        assert sum(int(row[FAILED]) for row in ui.rows()[1:]) == 0
        ui.press("new")
        ui.says("Start new load test")
        ui.start(userCount=2, spawnRate=2)
        before = wait_until(
            lambda: ui.requests() != first and ui.requests() > 100 and ui.requests(), "a hundred requests"
        )
        ui.press("reset")
        wait_until(lambda: 0 < ui.requests() < before, "statistics that begin anew")
        second = ui.stop(2)
        files = downloads(ui, tmp_path / "downloads")
        assert aggregated(files["requests"]) == second
        assert "GET /tasks" in files["report"]


def downloads(ui: Page, folder: Path) -> dict[str, str]:
    """What the page lets people download, by kind."""
    folder.mkdir()
    ui.browser.send_command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    ui.press("download data")
    patterns = {kind: f"*_{kind}.csv" for kind in ("requests", "failures", "exceptions")}
    for kind in patterns:
        ui.press(f"download {kind} csv")
        wait_until(lambda pattern=patterns[kind]: list(folder.glob(pattern)), f"the file of {kind}")
    patterns["report"] = "*.html"
    ui.browser.send_command("Page.navigate", url=f"{ui.url}stats/report?download=1")
    wait_until(lambda: list(folder.glob("*.html")), "the report")
    return {kind: next(folder.glob(pattern)).read_text("utf-8") for kind, pattern in patterns.items()}


def aggregated(text: str) -> int:
    (total,) = [row for row in csv.DictReader(text.splitlines()) if row["Name"] == "Aggregated"]
    return int(total["Request Count"])


def test_user_errors_in_the_form_are_reported_there(browser: Browser, tmp_path: Path) -> None:
    with page(browser, tmp_path, "", PLAIN, "--scale 0.2") as ui:
        host = browser.evaluate("document.querySelector('input[name=host]').value")
        ui.open("custom parameters", "rate")
        for field, value, sentence in (
            ("rate", "abc", "'abc' is no rate: write 200, or"),
            ("rate", "0:10,5", "is no rate: write 200, or"),
            ("judge", "some", "expected all, status, or sample=N"),
            ("host", "http://example.org", "nobody has permitted a load there: set LOAD_PERMITTED_BY="),
            ("host", "example", "GETFLOW_URL"),
        ):
            ui.fill(rate="", judge="all", host=host)
            ui.fill(**{field: value})
            ui.press("start")
            ui.says(re.escape(sentence))
        ui.fill(rate=20, host=host)
        ui.open("advanced options", "profile")
        ui.fill(profile="steep")
        ui.press("start")
        ui.says("expected one of smoke, load, stress, spike, soak, breakpoint, got 'steep'")
        assert not list(tmp_path.glob("run*")), "no run was begun"


@pytest.mark.slow
def test_a_profile_and_a_rate_in_the_form_are_run(browser: Browser, tmp_path: Path) -> None:
    with page(browser, tmp_path, "", PLAIN, "--scale 0.2") as ui:
        ui.open("custom parameters", "rate")
        ui.open("advanced options", "profile")
        ui.fill(profile="smoke")
        ui.start(rate=20)
        ui.says(r"Status\s+STOPPED")  # by itself
        wait_until((ui.run.results / "result.json").exists, "the result")
        assert ui.run.result["planned"] == 0.2 * 10, "seconds of smoke, scaled"
        (counted,) = ui.run.result["arrivals"].values()
        assert 20 * 2 * 0.9 <= counted["planned"] <= 20 * ui.run.result["seconds"], "at the rate of the form"
        assert json.loads((ui.run.results / "plan.json").read_text())["rate"] == 20
        assert counted["started"] > 0


@pytest.mark.slow
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
        wait_until(lambda: ui.requests() > 1000, "more requests than the first rate has in a minute")


def test_failures_name_clauses_and_exceptions_are_shown(browser: Browser, tmp_path: Path) -> None:
    with (
        embedded_references(
            ["getflow"], "127.0.0.1:9", ["--fault", "getflow.missing_parameter_is_a_wrong_value"]
        ) as targets,
        page(browser, tmp_path, targets["getflow"].url, RAISING) as ui,
    ):
        ui.start(userCount=5, spawnRate=5)
        ui.press("failures")
        wait_until(lambda: [row for row in ui.rows() if "GETFLOW-ERR-10" in row[-3]], "a failure of the clause")
        ui.press("exceptions")
        ui.says("a mistake in a journey")


STRANGER = """
from locust import constant
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Stranger(JourneyUser):
    wait_time = constant(0.05)

    @journey
    def visit(self):
        yield self.request("GET", "/home")
"""


def test_the_page_shows_the_objectives_and_opens_the_report(browser: Browser, tmp_path: Path) -> None:
    slo = tmp_path / "slo.yaml"
    slo.write_text("run: {errors: 1 %, mean: 10 s}")
    with running_shop() as shop, page(browser, tmp_path, shop.url, STRANGER, f"--slo {slo}") as ui:
        ui.start(userCount=2, spawnRate=2)
        ui.press("objectives")
        ui.says(r"run errors\s+at most 1 %\s+100 %\s+at risk")
        ui.says(r"run mean\s+at most 10 s\s+-\s+no evidence yet")
        ui.press("stop")
        ui.press("download data")
        link = browser.evaluate("[...document.querySelectorAll('a')].find(it => it.href.endsWith('/load.html')).href")
        wait_until((ui.run.results / "result.json").exists, "the result")
        browser.open_page(link, 1280, 900, "run errors")
        assert browser.evaluate("document.querySelector('h1').innerText") == "Load fail"
