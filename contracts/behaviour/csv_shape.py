"""How CSV is written: delimiter, quoting, line ends, columns, and the forms of the cells of each column."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from contracts.behaviour.array_order import ArrayOrders, common_orders, order_text, sorted_members
from contracts.behaviour.behaviour import Behaviour, Family
from contracts.behaviour.text_forms import form_of, joined_forms
from contracts.exchange import Response

CSV_TYPES = ("text/csv", "application/csv", "text/comma-separated-values")
DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
COLUMN = re.compile(r"[A-Za-z][\w .:/()#-]{0,63}", re.ASCII)  # what a header row has, and a row of data seldom
Place = tuple[Family, str]


def is_csv(response: Response) -> bool:
    """Whether the response says that it is CSV."""
    return response.media_type() in CSV_TYPES


def csv_behaviours(responses: Sequence[Response]) -> Iterator[tuple[Place, Behaviour]]:
    """The behaviours of these responses, all with CSV."""
    seen: dict[str, list[str]] = defaultdict(list)
    cells: dict[str, list[str]] = defaultdict(list)
    orders: list[ArrayOrders] = []
    for response in responses:
        text = _text(response.body)
        delimiter = max(DELIMITERS, key=lambda it: text.partition("\n")[0].count(it))
        for place, value in _writing(response.body, text, delimiter):
            seen[place].append(value)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        header, entries = _columns(rows)
        seen["columns"].append(", ".join(header) if header else "none")
        seen["row length"].append("as the columns" if _is_even(header, entries) else "differs")
        named = [dict(zip(header, row, strict=False)) for row in entries]
        if (order := sorted_members(named)) is not None:
            orders.append(order)
        for row in named:
            for name, cell in row.items():
                cells[name].append(cell)
    for place, values in seen.items():
        yield ("csv", place), Behaviour(" or ".join(sorted(set(values))), len(values), len(values))
    for name, texts in cells.items():
        forms = joined_forms(form_of(text) for text in texts if text)
        if forms:
            yield ("csv", f"column {name}"), Behaviour(forms, len(texts), len(texts))
    if empty := _empty_cells(cells):
        yield ("csv", "empty cell"), Behaviour(empty, 1, 1)
    if orders:
        yield ("csv", "order of rows"), Behaviour(order_text(common_orders(orders)), len(orders), len(orders))


def _text(body: bytes) -> str:
    return body.removeprefix(codecs.BOM_UTF8).decode(errors="replace")


def _writing(body: bytes, text: str, delimiter: str) -> Iterator[tuple[str, str]]:
    """Yield (place, value) for how the file is written."""
    yield "delimiter", NAMES[delimiter]
    yield "byte order mark", "yes" if body.startswith(codecs.BOM_UTF8) else "no"
    yield "charset", "UTF-8" if "\ufffd" not in text else "not UTF-8"
    outside = re.sub(r'"(?:[^"]|"")*"', '""', text)
    yield "line end", "CRLF" if "\r\n" in outside else "LF" if "\n" in outside else "CR" if "\r" in outside else "none"
    yield "last line end", "yes" if text.endswith(("\n", "\r")) else "no"
    first = outside.replace("\r", "\n").partition("\n")[0]
    columns = first.count(delimiter) + 1
    yield "quoting", "all" if outside and first.count('""') == columns else "where needed"


def _columns(rows: Sequence[list[str]]) -> tuple[list[str], Sequence[list[str]]]:
    """The names of the columns, [] without a header row, and the other rows."""
    if rows and rows[0] and all(COLUMN.fullmatch(cell) for cell in rows[0]) and len(set(rows[0])) == len(rows[0]):
        return rows[0], rows[1:]
    return [], rows


def _is_even(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    lengths = {len(row) for row in rows if row}
    return len(lengths | ({len(header)} if header else set())) <= 1


def _empty_cells(cells: dict[str, list[str]]) -> str:
    """How cells without a value are written, "" where every cell has one."""
    texts = {text for column in cells.values() for text in column}
    seen = [
        shown
        for text, shown in (("", "empty"), ("-", "-"), ("null", "null"), ("NULL", "NULL"), ("N/A", "N/A"))
        if text in texts
    ]
    return " or ".join(seen)
