"""The figures of each transport of a run: how long its responses took from the send, whatever was called.

Rule: a run with one transport has no such table, since it would repeat that of the operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from reports.load.load_result import NS_PER_MS
from reports.load.operation_statistics import OperationStatistics

PERCENTILES = (50.0, 95.0, 99.0)
COLUMNS = ("transport", "requests", "failed", *(f"p{percent:g}" for percent in PERCENTILES), "max")
NOTE = "Round trips in ms: from the send of a request to the last byte of its good response, over all operations."


def by_transport(operations: Iterable[OperationStatistics]) -> list[OperationStatistics]:
    """The sums of the operations of each transport, in the order of the transports' names."""
    sums: dict[str, OperationStatistics] = {}
    for operation in operations:
        sums.setdefault(operation.transport, OperationStatistics("", operation.transport)).add(operation)
    return [sums[name] for name in sorted(sums)]


def rows(operations: Iterable[OperationStatistics]) -> list[tuple[str, ...]]:
    """A row with the COLUMNS for each transport; [] for less than two."""
    transports = by_transport(operations)
    return [_row(transport) for transport in transports] if len(transports) > 1 else []


def markdown(operations: Iterable[OperationStatistics]) -> list[str]:
    """The lines of a section of Markdown; [] for less than two transports."""
    cells = rows(operations)
    if not cells:
        return []
    lines = [f"| {' | '.join(row)} |" for row in (COLUMNS, *cells)]
    return ["", "## Transports", "", NOTE, "", lines[0], "|---|" + "--:|" * (len(COLUMNS) - 1), *lines[1:]]


def html(operations: Iterable[OperationStatistics]) -> str:
    """A section of the page; "" for less than two transports."""
    cells = rows(operations)
    if not cells:
        return ""
    body = "".join(_html_row(row, "td") for row in cells)
    return f"<h2>Transports</h2><p>{NOTE}</p><table>{_html_row(COLUMNS, 'th')}{body}</table>"


def _row(transport: OperationStatistics) -> tuple[str, ...]:
    times = (*transport.service.percentiles(PERCENTILES), transport.service.max)
    milliseconds = [f"{ns / NS_PER_MS:.3g}" if transport.service.count else "-" for ns in times]
    return (transport.transport, str(transport.requests), str(transport.failed.count), *milliseconds)


def _html_row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
