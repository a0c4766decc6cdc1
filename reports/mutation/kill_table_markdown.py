"""Writes the kill table as Markdown, the form that is kept in git, and reads it back.

Rule: reading is strict: a text is a kill table only if writing what was read gives the same text again. The Markdown
has one complaint for each result: the name of its test function and the clauses that it blames.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from reports.mutation.kill_table import EXPECTED_VERDICTS, Complaint, KillTable, MutationResult, Provenance

INTRODUCTION = """# Kill table

Each fault breaks one promise of a vendor's document in one of our references. A test must complain and blame a clause
that the fault breaks; the table names the test, with the blamed clauses in bold. A variant keeps the document in
another way, and no test may complain. Seconds and requests are those until the complaint, or of the whole run.
"""
HEADER = re.compile(
    r"Made (?P<date>\S+ \S+) UTC by `(?P<command>.+)`: (?P<tests>\d+) checks and (?P<observations>\d+) observations,"
    r" (?P<jobs>\d+) processes on (?P<cores>\d+) cores, Python (?P<python>\S+), (?P<seconds>\d+) s\."
)
PROMISED = re.compile(r"\| (?P<api>\S+) \| \d+ of (?P<faults>\d+) \| \d+ of (?P<variants>\d+) \|")
KIND_OF = {
    "faults caught": "fault",
    "variants without complaint": "variant",
    "other requests without complaint": "seed",
}
WRONG = "Not as expected"
HONEST = "Complaints about the unchanged references"
COLUMNS = {  # by kind, for results that are as expected
    "fault": ("fault", "what it does", "clauses", "caught by", "seconds", "requests"),
    "variant": ("variant", "what it does", "clauses", "seconds", "requests"),
    "seed": ("seed", "what it does", "seconds", "requests"),
}
WRONG_COLUMNS = ("verdict", "kind", "API", "name", "what it does", "clauses", "blamed", "test", "seconds", "requests")
BROKEN = "error in "  # precedes a test that ended in an error of its own


def render(table: KillTable) -> str:
    """The Markdown of `published_form(table)`."""
    table = published_form(table)
    provenance = table.made
    lines = [
        INTRODUCTION,
        f"Made {provenance.date_text} by `{provenance.command}`: {table.tests} checks and"
        f" {table.observations} observations,"
        f" {provenance.jobs} processes on {provenance.cores} cores, Python {provenance.python}, {table.seconds:.0f} s.",
        "",
        *_head(("API", "faults caught", "variants without complaint"), 2),
        *(_total(api, counts, table.results) for api, counts in sorted(table.changes.items())),
    ]
    if table.honest:
        lines += ["", f"## {HONEST}", "", *_head(("test", "blamed"))]
        lines += [_row((_test(complaint), ", ".join(complaint.clauses))) for complaint in table.honest]
    unexpected = [result for result in table.results if result.verdict not in EXPECTED_VERDICTS]
    if unexpected:
        lines += ["", f"## {WRONG}", "", *_head(WRONG_COLUMNS, 2), *map(_wrong_row, unexpected)]
    for title, kind in KIND_OF.items():
        for api in sorted({result.api for result in table.results}):
            results = [result for result in table.results if _is_expected(result, api, kind)]
            if results:
                lines += ["", f"## {api}: {title}", "", *_head(COLUMNS[kind], 2), *map(_expected_row, results)]
    return "\n".join(lines) + "\n"


def parse(text: str) -> KillTable:
    """Read what `render` wrote; raises ValueError for any other text."""
    header = HEADER.search(text)
    if header is None:
        raise ValueError("it does not say how it was made")
    date = datetime.strptime(header["date"], "%Y-%m-%d %H:%M").replace(tzinfo=UTC).isoformat()
    provenance = Provenance(date, header["command"], int(header["jobs"]), int(header["cores"]), header["python"])
    changes = {
        match["api"]: {"fault": int(match["faults"]), "variant": int(match["variants"])}
        for match in PROMISED.finditer(text)
    }
    honest: list[Complaint] = []
    results: list[MutationResult] = []
    try:
        for title, cells in _rows(text):
            if title == HONEST:
                honest.append(_complaint(cells[0], _ids(cells[1])))
            elif title == WRONG:
                results.append(_wrong_result(cells))
            else:
                api, _, name = title.partition(": ")
                results.append(_expected_result(api, KIND_OF[name], cells))
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"a row of the kill table has another form ({error})") from error
    table = KillTable(
        provenance,
        float(header["seconds"]),
        int(header["tests"]),
        changes,
        tuple(honest),
        tuple(results),
        int(header["observations"]),
    )
    if render(table) != text:
        raise ValueError("it is not in the form in which flowproof writes it")
    return table


def published_form(table: KillTable) -> KillTable:
    """The table reduced to the content of the Markdown: ordered by section, one complaint each, without messages."""
    results = [_published_result(result) for result in table.results]
    unexpected = [result for result in results if result.verdict not in EXPECTED_VERDICTS]
    ordered = [
        result
        for kind in COLUMNS
        for api in sorted({result.api for result in results})
        for result in results
        if _is_expected(result, api, kind)
    ]
    date = datetime.fromisoformat(table.made.date).astimezone(UTC).replace(second=0, microsecond=0)
    return replace(
        table,
        made=replace(table.made, date=date.isoformat()),
        seconds=float(round(table.seconds)),
        changes={
            api: {"fault": counts.get("fault", 0), "variant": counts.get("variant", 0)}
            for api, counts in sorted(table.changes.items())
        },
        honest=tuple(map(_published_complaint, table.honest)),
        results=(*unexpected, *ordered),
    )


def _published_result(result: MutationResult) -> MutationResult:
    complaint = result.shown_complaint
    clauses = tuple(dict.fromkeys(result.clauses))
    if complaint is None:
        complaints: tuple[Complaint, ...] = ()
    elif result.verdict == "caught":
        own = tuple(clause for clause in clauses if clause in complaint.clauses)
        complaints = (replace(_published_complaint(complaint), clauses=own),)
    else:
        complaints = (_published_complaint(complaint),)
    seconds = float(f"{result.seconds:.1f}")
    return replace(result, clauses=clauses, complaints=complaints, seconds=seconds, skipped=0)


def _published_complaint(complaint: Complaint) -> Complaint:
    """The complaint with the name of the test function alone."""
    return Complaint(complaint.function, complaint.clauses, "", complaint.broken)


def _is_expected(result: MutationResult, api: str, kind: str) -> bool:
    return (result.api, result.kind) == (api, kind) and result.verdict in EXPECTED_VERDICTS


def _total(api: str, counts: Mapping[str, int], results: Sequence[MutationResult]) -> str:
    def share(kind: str) -> str:
        expected = sum(_is_expected(result, api, kind) for result in results)
        return f"{expected} of {counts.get(kind, 0)}"

    return _row((api, share("fault"), share("variant")))


def _expected_row(result: MutationResult) -> str:
    blamed = result.complaints[0].clauses if result.complaints else ()
    clauses = ", ".join(f"**{clause}**" if clause in blamed else clause for clause in result.clauses)
    cost = (f"{result.seconds:.1f}", str(result.requests))
    if result.kind == "seed":
        return _row((result.name, result.summary, *cost))
    test = [_test(result.complaints[0])] if result.kind == "fault" else []
    return _row((result.name, result.summary, clauses, *test, *cost))


def _expected_result(api: str, kind: str, cells: Sequence[str]) -> MutationResult:
    name, summary, *middle, seconds, requests = cells
    ids = _ids(middle[0]) if middle else ()
    clauses = tuple(clause.strip("*") for clause in ids)
    blamed = tuple(clause.strip("*") for clause in ids if clause.startswith("**"))
    complaints = (_complaint(middle[1], blamed),) if kind == "fault" else ()
    return MutationResult(api, name, kind, clauses, summary, complaints, int(requests), float(seconds))


def _wrong_row(result: MutationResult) -> str:
    complaint = result.shown_complaint
    blamed, test = (", ".join(complaint.clauses), _test(complaint)) if complaint else ("", "")
    head = (result.verdict, result.kind, result.api, result.name, result.summary, ", ".join(result.clauses))
    return _row((*head, blamed, test, f"{result.seconds:.1f}", str(result.requests)))


def _wrong_result(cells: Sequence[str]) -> MutationResult:
    _, kind, api, name, summary, clauses, blamed, test, seconds, requests = cells
    complaints = (_complaint(test, _ids(blamed)),) if test else ()
    return MutationResult(api, name, kind, _ids(clauses), summary, complaints, int(requests), float(seconds))


def _test(complaint: Complaint) -> str:
    return f"{BROKEN * complaint.broken}{complaint.test}"


def _complaint(test: str, blamed: tuple[str, ...]) -> Complaint:
    return Complaint(test.removeprefix(BROKEN), blamed, "", test.startswith(BROKEN))


def _ids(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(", ")) if cell else ()


def _head(columns: Sequence[str], numbers: int = 0) -> list[str]:
    """The head of a table whose last `numbers` columns are numbers."""
    return [_row(columns), "|---" * (len(columns) - numbers) + "|--:" * numbers + "|"]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _rows(text: str) -> Iterator[tuple[str, list[str]]]:
    """The title of its section and the cells of each row below the heads of all sections."""
    for section in text.split("\n## ")[1:]:
        title, *lines = section.splitlines()
        for line in [line for line in lines if line.startswith("|")][2:]:
            cells = line.removeprefix("| ").removesuffix(" |").split(" | ")
            yield title, [cell.replace("\\|", "|") for cell in cells]
