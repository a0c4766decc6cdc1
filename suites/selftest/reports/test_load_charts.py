"""The charts of a load run have its figures, and people can read their values and zoom in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.browser import Browser, BrowserNotFound, open_browser, wait_until
from reports.load import report_files
from reports.load.histogram import Histogram
from reports.load.interactive_charts import chart_data
from reports.load.load_run import read_load_run
from reports.load.load_verdict import LoadVerdict
from reports.load.time_series import heatmap, time_series
from suites.selftest.reports.load_sample import MS, line, tally, write

SECONDS = 40
SLO = "run: {errors: 1 %, p95: 100 ms, service p95: 90 ms, max: 2 s, throughput: 5 /s}\noperations: {GET /: {p95: 1 s}}"


def lines(workers: int = 1) -> list[dict[str, Any]]:
    """A line a second of each worker: 10 good responses of 20 ms; in second 20 two failures, one of them without."""
    return [
        line(
            second,
            [tally("GET /", [20.0] * 10, {"status 500": 1, "</script><i>": 1} if second == 20 else {})],
            worker=f"worker {worker}",
            users=3,
            arrivals={"Visitor": {"started": 10 * (second + 1), "dropped": int(second >= 20), "planned": 10.0}},
        )
        for second in range(SECONDS)
        for worker in range(workers)
    ]


def written(folder: Path, workers: int = 1) -> LoadVerdict:
    (folder / "slo.yaml").write_text(SLO)
    phases = [{"name": "warm-up", "begin": 0, "end": 10, "judged": False}, {"name": "steady", "begin": 10, "end": 40}]
    phases[1]["judged"] = True
    write(folder / "run", lines(workers), phases=phases, workers=workers)
    return report_files.write_reports(folder / "run", folder / "slo.yaml")


def test_figures_of_all_workers_are_added_up(tmp_path: Path) -> None:
    series = time_series(written(tmp_path, workers=2).run)
    assert (series["users"][5], series["arrivals"]["started"][5], series["outcomes"]["good"][5]) == (6, 20.0, 20.0)
    assert (series["arrivals"]["dropped"][19], series["arrivals"]["dropped"][20]) == (0.0, 2.0)


def test_failures_have_their_statuses_and_their_share(tmp_path: Path) -> None:
    series = time_series(written(tmp_path).run)
    assert {name: values[20] for name, values in series["outcomes"].items()} == {"good": 10.0, "no response": 2.0}
    assert (series["errors"][19], series["errors"][20]) == (0.0, pytest.approx(100 * 2 / 12, abs=0.001))


def test_a_failure_with_a_status_is_named_by_it(tmp_path: Path) -> None:
    statistics = tally("GET /", [], {"status 500": 3})
    statistics.statuses = {"500": 3}
    run = read_load_run(write(tmp_path / "run", [line(0, [statistics])]))
    assert time_series(run)["outcomes"] == {"good": [0.0], "failed, 500": [3.0]}


def test_times_are_percentiles_of_good_responses_and_the_maximum_of_all(tmp_path: Path) -> None:
    statistics = tally("GET /", [1.0] * 90 + [50.0] * 10)
    slow = tally("GET /", [], {"timeout": 1})  # which took 1 ms
    run = read_load_run(write(tmp_path / "run", [line(0, [statistics, slow]), line(1, [])]))
    times = time_series(run)["times"]
    assert [times[name][0] for name in ("p50", "p95", "max")] == pytest.approx([1.0, 50.0, 50.0], rel=0.01)
    assert [times[name][1] for name in ("p50", "p95", "max")] == [None] * 3


def test_long_runs_have_fewer_and_longer_spans(tmp_path: Path) -> None:
    far = [line(second, [tally("GET /", [1.0])]) for second in (0, 3999)]
    series = time_series(read_load_run(write(tmp_path / "run", far)))
    assert (len(series["at"]), series["at"][:2]) == (400, [5.0, 15.0])
    assert (series["outcomes"]["good"][0], series["outcomes"]["good"][1]) == (1.0, None)


def test_a_heatmap_counts_by_rows_of_equal_ratio() -> None:
    times, empty = Histogram(), Histogram()
    times.record_many([1 * MS, 10 * MS, 10 * MS])
    heat = heatmap([times, empty])
    assert (heat["cells"], round(heat["low"], 3)) == ([[[0, 1], [8, 2]], []], 1.0)


def test_objectives_of_the_run_are_lines_of_their_charts(tmp_path: Path) -> None:
    assert chart_data(written(tmp_path))["objectives"] == [
        {"chart": "errors", "name": "errors objective", "value": 1.0},
        {"chart": "times", "name": "p95 objective", "value": 100.0},
        {"chart": "times", "name": "max objective", "value": 2000.0},
        {"chart": "outcomes", "name": "throughput objective", "value": 5.0},
    ]


def test_the_head_names_target_revision_and_machine(tmp_path: Path) -> None:
    machine = {"system": "Linux x86_64", "processor": "a processor", "cores": 2, "python": "3.12"}
    targets = {"Visitor": "http://shop.example/<1>"}
    write(tmp_path / "run", lines(), targets=targets, revision="v1-2", machine=machine)
    (tmp_path / "slo.yaml").write_text(SLO)
    report_files.write_reports(tmp_path / "run", tmp_path / "slo.yaml")
    text = re.sub("<[^>]+>", "", (tmp_path / "run" / "load.html").read_text())
    for words in ("target of Visitor http://shop.example/&lt;1&gt;", "revision v1-2", "a processor, 2 cores"):
        assert words in text


def test_the_page_carries_the_licence_of_its_library(tmp_path: Path) -> None:
    written(tmp_path)
    html = (tmp_path / "run" / "load.html").read_text()
    assert "The MIT License (MIT)\n\nCopyright (c) 2022 Leon Sorokin" in html


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with open_browser(tmp_path_factory.mktemp("profile")) as opened:
            yield opened
    except BrowserNotFound as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("charts")
    written(folder)
    return (folder / "run" / "load.html").as_uri()


RANGES = "flowproofCharts().map(chart => [chart.scales.x.min, chart.scales.x.max])"
CHART = "document.querySelector('#chart-times .u-over').getBoundingClientRect()"
BOX = f"(box => [box.left, box.top, box.width, box.height])({CHART})"


def mouse(browser: Browser, kind: str, across: float, **more: Any) -> None:
    """A mouse event in the chart of times, at that share of its width."""
    left, top, width, height = browser.evaluate(BOX)
    browser.send_command(
        "Input.dispatchMouseEvent", type=kind, x=left + across * width, y=top + height / 2, button="left", **more
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 500])
def test_the_charts_fit_the_window(browser: Browser, page: str, width: int, scheme: str) -> None:
    browser.send_command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open_page(page, width, 900, "The whole run")
    assert browser.evaluate("flowproofCharts().length") == 5
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    fits = "[...document.querySelectorAll('.live')].every(it => it.scrollWidth <= it.clientWidth)"
    wait_until(lambda: browser.evaluate(fits), "charts as wide as their places")


def test_the_pointer_shows_the_values_of_its_second_in_every_chart(browser: Browser, page: str) -> None:
    browser.open_page(page, 1400, 3000, "The whole run")
    mouse(browser, "mouseMoved", 20.5 / SECONDS)
    shown = "document.querySelector('#chart-errors .u-legend').innerText"
    wait_until(lambda: "16.7" in (browser.evaluate(shown) or ""), "the share of errors in second 20")
    assert "20" in browser.evaluate("document.querySelector('#chart-times .u-legend').innerText")


def test_dragging_zooms_all_charts_and_a_double_click_shows_the_whole_run(browser: Browser, page: str) -> None:
    browser.open_page(page, 1400, 3000, "The whole run")
    before = browser.evaluate(RANGES)
    mouse(browser, "mouseMoved", 0.25)
    mouse(browser, "mousePressed", 0.25, clickCount=1)
    for across in (0.3, 0.5, 0.75):
        mouse(browser, "mouseMoved", across, buttons=1)
    mouse(browser, "mouseReleased", 0.75, clickCount=1)
    zoomed = wait_until(lambda: (now := browser.evaluate(RANGES)) != before and now, "another range")
    assert len({json.dumps(bounds) for bounds in zoomed}) == 1
    assert zoomed[0] == pytest.approx([10, 30], abs=1)
    for count in (1, 2):
        mouse(browser, "mousePressed", 0.5, clickCount=count)
        mouse(browser, "mouseReleased", 0.5, clickCount=count)
    wait_until(lambda: browser.evaluate(RANGES) == before, "the whole run")


def test_nothing_is_fetched(browser: Browser, page: str) -> None:
    browser.requested_urls.clear()
    browser.open_page(page, 1400, 900, "The whole run")
    assert {url for url in browser.requested_urls if not url.startswith(("file:", "about:", "data:"))} == set()


def test_text_from_outside_is_no_script(browser: Browser, page: str) -> None:
    browser.open_page(page, 1400, 900, "The whole run")
    assert browser.evaluate("document.querySelectorAll('script').length") == 3
