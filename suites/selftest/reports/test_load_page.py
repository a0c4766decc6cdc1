"""A load run as people see it: a complete page, plots that are well-formed SVG, and results beside the tests."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports.__main__ import main
from reports.allure import report_page as report
from reports.load import allure_results, plots, report_files
from reports.load.chart import linear_axis, logarithmic_axis, tail_axis
from reports.load.load_page import render_load_page
from reports.load.load_verdict import LoadVerdict
from reports.load.scope import merge_statistics
from reports.load.timeline import ALL_OPERATIONS, timeline
from suites.selftest.reports.load_sample import line, tally, write

SLO = "run: {errors: 1 %}\napis: {getflow: {p95: 10 ms, operations: {GET /tasks: {p50: 1 s}}}}"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def judged(tmp_path: Path) -> LoadVerdict:
    """Two operations, one of which fails in an evil way, in two phases."""
    evil = {"GETFLOW-ERR-1": 2, "<i>evil</i>": 1}
    both = [tally("getflow GET /tasks", [20.0] * 30), tally("<b>POST</b>", [1.0] * 5, evil)]
    phases = [
        {"name": "warm-up", "begin": 0, "end": 5, "judged": False},
        {"name": "steady", "begin": 5, "end": 20, "judged": True},
    ]
    folder = write(tmp_path / "run", [line(at, both) for at in range(20)], apis=["getflow"], phases=phases)
    (tmp_path / "slo.yaml").write_text(SLO)
    return report_files.write_reports(folder, tmp_path / "slo.yaml")


def test_the_page_fetches_nothing_and_escapes_what_came_from_outside(judged: LoadVerdict) -> None:
    html = render_load_page(judged)
    assert report.foreign_references(html) == []
    assert ("<b>POST</b>" in html, "<i>evil" in html, "&lt;i&gt;evil&lt;/i&gt;" in html) == (False, False, True)


def test_the_page_has_three_plots_for_the_run_and_for_each_operation(judged: LoadVerdict) -> None:
    assert render_load_page(judged).count("<svg") == 3 * 3


def test_a_page_without_a_run_says_how_to_make_one() -> None:
    assert "--profile smoke" in render_load_page(None)


def test_plots_alone_are_svg_with_labelled_axes_and_phases(judged: LoadVerdict) -> None:
    spans, run = timeline(judged.run), judged.run
    plot_svgs = [
        plots.percentile_plot("all", merge_statistics(run.result.operations), alone=True),
        plots.times_plot("all", spans[ALL_OPERATIONS], run, alone=True),
        plots.throughput_plot("all", spans[ALL_OPERATIONS], run, alone=True),
    ]
    texts = [{text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")} for svg in plot_svgs]
    assert texts[0] >= {"percentile", "ms", "99"}
    assert texts[1] >= {"seconds since the start", "ms", "warm-up", "steady"}
    assert texts[2] >= {"seconds since the start", "per second", "failures"}


def test_throughput_is_by_the_second_whatever_the_spans(judged: LoadVerdict) -> None:
    for width in (1.0, 4.0):
        spans = timeline(judged.run, width)[ALL_OPERATIONS]
        assert {span.times.count / span.covered for span in spans} == {35.0}


@pytest.mark.parametrize(
    ("axis", "value", "place"),
    [
        (linear_axis("", 95), 50, 0.5),
        (logarithmic_axis("", 1, 100), 10, 0.5),
        (tail_axis("", 99.99), 99, 0.5),
    ],
    ids=["linear", "logarithmic", "tail"],
)
def test_axes_put_values_in_their_place(axis: object, value: float, place: float) -> None:
    assert axis.place(value) == pytest.approx(place)  # type: ignore[attr-defined] # an Axis


def test_objectives_stand_in_allure_under_load_and_their_api(judged: LoadVerdict, tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    staged.mkdir()
    allure_results.stage(judged, staged)
    results = [json.loads(path.read_text()) for path in staged.glob("*-result.json")]
    places = {
        (result["status"], *(label["value"] for label in result["labels"] if label["name"] != "outcome"))
        for result in results
    }
    assert places == {
        ("failed", "load", "Whole run", "All operations"),
        ("passed", "load", "Whole run", "All operations"),
        ("failed", "load", "getflow", "All operations"),
        ("passed", "load", "getflow", "GET /tasks"),
    }
    attached = [attachment["source"] for result in results for attachment in result["attachments"]]
    assert all((staged / source).read_text().startswith("<svg") for source in attached)


def test_what_is_inconclusive_is_not_green_in_allure(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", [line(0, [tally("GET /tasks", [1.0])])], complete=False)
    (tmp_path / "slo.yaml").write_text("run: {errors: 1 %, p95: 1 s}")
    staged = tmp_path / "staged"
    staged.mkdir()
    allure_results.stage(report_files.write_reports(folder, tmp_path / "slo.yaml"), staged)
    results = [json.loads(path.read_text()) for path in staged.glob("*-result.json")]
    assert sorted(result["status"] for result in results) == ["passed", "skipped", "skipped"]
    outcomes = sorted(label["value"] for result in results for label in result["labels"] if label["name"] == "outcome")
    assert outcomes == ["inconclusive", "inconclusive", "pass"]


@pytest.mark.parametrize(("slo", "code"), [("run: {errors: 50 %}", 0), ("run: {errors: 1 %}", 1), ("run: {}", 2)])
def test_a_load_run_alone_decides_the_exit_code(judged: LoadVerdict, tmp_path: Path, slo: str, code: int) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(slo)
    out = tmp_path / "out"
    arguments = ["--load", str(judged.run.path), "--slo", str(other), "--results", str(out), "--out", str(out)]
    assert main(arguments) == code


def test_the_newest_load_run_is_shown_and_does_not_count(judged: LoadVerdict, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "load").mkdir(parents=True)
    judged.run.path.rename(out / "load" / "run")
    code = main(["--results", str(tmp_path / "none"), "--out", str(out), "--no-html"])
    assert (judged.verdict, code) == ("fail", 3)
