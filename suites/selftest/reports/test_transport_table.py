"""The load report shows the round trips of each transport, if the run had more than one."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.load import load_page, report_files, transport_table, verdict_text
from reports.load.operation_statistics import FailedRequest, OperationStatistics
from suites.selftest.reports.load_sample import MS, line, write
from suites.selftest.reports.test_verdict_forms import MET, judged


def over(transport: str, times: list[float], failed: int = 0, operation: str = "LIST") -> OperationStatistics:
    """Statistics with these round trips in ms; whatever was waited before the send is ten times as long."""
    statistics = OperationStatistics(operation, transport)
    if times:
        statistics.record_successes(
            [(0, round(9 * ms * MS), round(10 * ms * MS), round(10 * ms * MS), 5) for ms in times]
        )
    statistics.record_failures([FailedRequest("status 500", 0, 0, MS, 0)] * failed)
    return statistics


TEXT, JSON = over("deepstream-text", [4.0] * 3, failed=1), over("deepstream", [2.0] * 2)
TEXT_TOO = over("deepstream-text", [8.0], operation="OPEN")
ROWS = [
    ("deepstream", "2", "0", "2", "2", "2", "2"),
    ("deepstream-text", "5", "1", "4", "8", "8", "8"),
]


def test_a_row_adds_up_the_operations_of_a_transport() -> None:
    assert transport_table.rows([TEXT, JSON, TEXT_TOO]) == ROWS


def test_a_run_with_one_transport_has_no_table() -> None:
    assert transport_table.rows([TEXT, TEXT_TOO]) == []
    assert transport_table.markdown([TEXT]) == []
    assert transport_table.html([TEXT]) == ""


def test_a_run_without_requests_has_no_table() -> None:
    assert transport_table.rows([]) == []


def test_a_transport_without_a_good_response_has_no_times() -> None:
    assert transport_table.rows([JSON, over("websocket", [], failed=2)])[1] == ("websocket", "2", "2", *["-"] * 4)


def test_the_sums_leave_the_operations_as_they_are() -> None:
    transport_table.rows([TEXT, JSON, TEXT_TOO])
    assert (TEXT.requests, TEXT_TOO.requests) == (4, 1)


def test_markdown_has_a_section_with_the_table() -> None:
    assert transport_table.markdown([TEXT, JSON, TEXT_TOO]) == [
        "",
        "## Transports",
        "",
        "Round trips in ms: from the send of a request to the last byte of its good response, over all operations.",
        "",
        "| transport | requests | failed | p50 | p95 | p99 | max |",
        "|---|--:|--:|--:|--:|--:|--:|",
        "| deepstream | 2 | 0 | 2 | 2 | 2 | 2 |",
        "| deepstream-text | 5 | 1 | 4 | 8 | 8 | 8 |",
    ]


def test_html_escapes_names() -> None:
    page = transport_table.html([JSON, over("<b>", [1.0])])
    assert page.startswith("<h2>Transports</h2><p>Round trips in ms")
    assert "<tr><td>&lt;b&gt;</td><td>1</td><td>0</td><td>1</td><td>1</td><td>1</td><td>1</td></tr>" in page
    assert page.count("</tr><tr>") == 2
    assert "<tr><th>transport</th><th>requests</th><th>failed</th><th>p50</th>" in page


def test_the_report_of_a_run_has_the_table_behind_the_operations() -> None:
    page = verdict_text.markdown(judged(MET, operations=(TEXT, JSON)))
    assert page.endswith("\n".join(transport_table.markdown([TEXT, JSON])) + "\n")
    assert "Transports" not in verdict_text.markdown(judged(MET, operations=(TEXT,)))


@pytest.mark.parametrize("operations", [(TEXT, JSON), (TEXT,)], ids=["two_transports", "one_transport"])
def test_the_page_of_a_run_has_the_table(tmp_path: Path, operations: tuple[OperationStatistics, ...]) -> None:
    folder = write(tmp_path / "run", [line(0, operations)])
    (tmp_path / "slo.yaml").write_text("run: {errors: 1 %}")
    page = load_page.render_load_page(report_files.write_reports(folder, tmp_path / "slo.yaml"))
    assert page.count("<h2>Transports</h2>") == len(operations) - 1
    assert transport_table.html(operations) in page
