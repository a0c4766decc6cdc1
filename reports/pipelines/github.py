"""What GitHub Actions shows of a run: a message beside the clause for each cause, and the page of the job.

Rule: GitHub shows ten errors and ten warnings of a step, so the worst come first, and the page has all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reports import cause_text
from reports.cause_text import overdue_line, vanished_line
from reports.pipelines.clause_location import location_of
from reports.results.records import RunRecords
from reports.results.verdicts import ApiVerdict

MAX_PAGE = 1_000_000  # bytes; GitHub takes a page of 1 MiB at most
CUT = "\n\n… cut here: summary.md has all of it\n"


def messages(verdicts: Sequence[ApiVerdict], records: RunRecords, environ: Mapping[str, str]) -> list[str]:
    """The commands for the log of a job of GitHub Actions; [] anywhere else."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return []
    listed = [*_of_causes(verdicts), *_of_acceptances(verdicts)]
    return [*listed, *(_command("error", {}, line) for line in _reasons(verdicts, records))]


def _of_causes(verdicts: Sequence[ApiVerdict]) -> Iterator[str]:
    for judged in verdicts:
        for cause in judged.causes:
            path, line = location_of(judged.api, cause.clause)
            place = {"file": path, "line": str(line), "title": f"{judged.api}: {cause.clause or 'a finding'}"}
            yield _command("warning" if cause.is_warning else "error", place, "\n".join(cause_text.cause_lines(cause)))


def _of_acceptances(verdicts: Sequence[ApiVerdict]) -> Iterator[str]:
    """A warning for each entry of accepted.yaml that somebody has to change."""
    for judged in verdicts:
        for line in (*map(overdue_line, judged.overdue), *map(vanished_line, judged.vanished)):
            yield _command("warning", {"title": f"{judged.api}: accepted.yaml"}, line)


def _reasons(verdicts: Sequence[ApiVerdict], records: RunRecords) -> list[str]:
    return [f"{judged.api}: {reason}" for judged in verdicts for reason in judged.reasons] + records.outside_lines


def _command(level: str, properties: Mapping[str, str], message: str) -> str:
    listed = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    return f"::{level}{' ' + listed if listed else ''}::{_escaped(message)}"


def _escaped(text: str, also: str = "") -> str:
    """The text with what would end the command, or the property, percent-encoded."""
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def append_page(page: str, environ: Mapping[str, str]) -> None:
    """Appends the page to that of the job, if `GITHUB_STEP_SUMMARY` names its file. Raises OSError."""
    name = environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    data = page.encode(errors="backslashreplace")
    if len(data) > MAX_PAGE:
        data = data[: MAX_PAGE - len(CUT.encode())].decode(errors="ignore").encode() + CUT.encode()
    with Path(name).open("ab") as file:
        file.write(data)
