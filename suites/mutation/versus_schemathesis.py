"""Compares our verdicts with those of stock Schemathesis in one table.

Rule: both columns are about the same changes; our trials run again if the last kill table lacks some of them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import FrameType

from fixtures.reference.protocol import Change
from reports.mutation import kill_table, kill_table_page, tool_comparison
from reports.mutation.kill_table import KillTable, MutationResult, Provenance
from reports.mutation.tool_comparison import ComparedChange, ToolComparison, ToolResult, ToolTotals
from suites.bench import stock_schemathesis
from suites.mutation import schemathesis_trial
from suites.mutation.schemathesis_trial import HONEST, ToolRun

ROOT = Path(__file__).parents[2]


def main(changes: Sequence[tuple[str, Change]], provenance: Provenance, out: Path, sample: str, publish: bool) -> int:
    """Runs Schemathesis against these changes and writes the table; returns 0, 2 after an error, or 130 after ^C."""
    try:
        stock_schemathesis.executable()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        ours = _ours(changes, provenance.jobs, out)
        runs = schemathesis_trial.run_tool(changes, provenance.jobs, lambda run: print(run_line(run), flush=True))
    except (stock_schemathesis.SchemathesisNotFound, RuntimeError) as problem:
        print(f"prove: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("prove: interrupted", file=sys.stderr)
        return 130
    table = comparison(runs, ours, provenance, sample)
    print(f"\n{markdown(table)}")
    (out / tool_comparison.COMPARISON_FILE).write_text(tool_comparison.comparison_json(table), "utf-8")
    for folder in (out, *([kill_table.PUBLISHED] if publish else ())):
        print(os.path.relpath(write(folder, table)))
    kill_table_page.write_page(out, out)
    return 0


def write(folder: Path, table: ToolComparison) -> Path:
    """Writes against-schemathesis.md, and returns its path."""
    path = (folder / tool_comparison.COMPARISON_FILE).with_suffix(".md")
    path.write_text(markdown(table), "utf-8")
    return path


def run_line(run: ToolRun) -> str:
    """One run as a line for the terminal."""
    return f"{verdict(run):8} {run.api}.{run.name}  {run.requests} requests, {run.seconds:.1f} s  {_about(run)}"


def verdict(run: ToolRun) -> str:
    """killed, stopped or missed for a fault; blamed or ok for a variant or the honest reference."""
    if run.kind == HONEST:
        return "blamed" if run.failures else "ok"
    if run.kind == "variant":
        return "blamed" if run.new else "ok"
    return "killed" if run.new else "stopped" if run.stopped else "missed"


def comparison(runs: Sequence[ToolRun], ours: KillTable, provenance: Provenance, sample: str) -> ToolComparison:
    """Both sides on these changes; raises KeyError when our kill table has no result for one."""
    results = {(result.api, result.name, result.kind): result for result in ours.results}

    def side(run: ToolRun) -> ToolResult:
        return _honest(run.api, ours) if run.kind == HONEST else _side(results[run.api, run.name, run.kind])

    ordered = sorted(runs, key=lambda run: (run.kind, run.api, run.name))
    rows = tuple(ComparedChange(run.api, run.name, run.kind, side(run), _theirs(run)) for run in ordered)
    return ToolComparison(provenance, f"Schemathesis {version('schemathesis')}", sample, rows)


def _theirs(run: ToolRun) -> ToolResult:
    alarms = run.failures if run.kind == HONEST else run.new
    return ToolResult(verdict(run), _about(run), len(alarms), run.requests, round(run.seconds, 1))


def _side(result: MutationResult) -> ToolResult:
    is_hit = result.verdict != "ok" if result.kind == "variant" else result.verdict == "caught"
    clauses = ", ".join(result.shown_complaint.clauses) if result.shown_complaint else ""
    return ToolResult(result.verdict, clauses, int(is_hit), result.requests, round(result.seconds, 1))


def _honest(api: str, ours: KillTable) -> ToolResult:
    """Our result on the honest reference; the kill table has no requests and seconds of that run by API."""
    alarms = [complaint for complaint in ours.honest if _api(complaint.test) == api]
    return ToolResult(
        "blamed" if alarms else "ok", "; ".join(complaint.test for complaint in alarms), len(alarms), 0, 0.0
    )


def markdown(table: ToolComparison) -> str:
    """The comparison as Markdown: totals, totals by API, then one row per fault or variant."""
    lines = [
        "# Compared with stock Schemathesis",
        "",
        f"{table.tool} on {table.sample}. Made {table.made.date_text} by `{table.made.command}`.",
        "",
        f"`schemathesis run` with seed {schemathesis_trial.SEED}, one worker and its defaults otherwise, on the same",
        "documents. It kills a fault when it reports a kind of failure at an operation that it does not report for the",
        "honest reference, whether or not the fault broke just that; we do when a clause is blamed that the fault",
        "breaks. Its requests and seconds are of whole runs over sockets; ours end at the first correct complaint and",
        "go to references in the same process. Requests and seconds are those of the faults and variants.",
        "",
        "| | | faults killed | variants blamed | false alarms, honest | requests | seconds |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for api in [*sorted({row.api for row in table.rows}), "all"]:
        ours, theirs = tool_comparison.totals([row for row in table.rows if api in (row.api, "all")])
        lines += [_sum(api, "ours", ours), _sum(api, "Schemathesis", theirs)]
    lines += ["", "| | fault or variant | ours | Schemathesis | what it says |", "|---|---|---|---|---|"]
    lines += [
        _row([row.kind, f"`{row.api}.{row.name}`", row.ours.verdict, row.theirs.verdict, row.theirs.says])
        for row in table.rows
    ]
    return "\n".join(lines) + "\n"


def _sum(api: str, side: str, total: ToolTotals) -> str:
    killed, blamed = f"{total.killed} of {total.faults}", f"{total.blamed} of {total.variants}"
    return _row([api, side, killed, blamed, str(total.alarms), f"{total.requests:,}", f"{total.seconds:,.0f}"])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _api(test: str) -> str:
    """The API that a test's id names: its folder's, or its first parameter's."""
    return test.split("[")[1].split()[0] if "[" in test and test.count("/") < 2 else test.split("/")[1]


def _about(run: ToolRun) -> str:
    shown = run.failures if run.kind == HONEST else run.new
    return "; ".join(f"{kind} at {operation}" for kind, operation in sorted(shown))


def _ours(changes: Sequence[tuple[str, Change]], jobs: int, out: Path) -> KillTable:
    """Our kill table with all of these changes: the last one, or the one of a new run. Raises RuntimeError."""
    last = _read(out / kill_table.FILE_NAME)
    required = {(api, change.name, change.kind) for api, change in changes}
    if last and required <= {(result.api, result.name, result.kind) for result in last.results}:
        return last
    print("prove: the last kill table has no result for some of these; running them now", flush=True)
    folder = out / "against"
    names = ",".join(f"{api}.{change.name}" for api, change in changes)
    command = [sys.executable, "-m", "suites.mutation", "--jobs", str(jobs), "--out", str(folder), "--only", names]
    command += [argument for api in sorted({api for api, _ in changes}) for argument in ("--api", api)]
    code, output = _finished(command)
    table = _read(folder / kill_table.FILE_NAME)
    if table is None or code not in (0, 1):
        raise RuntimeError(f"our own side ended with {code}\n{output[-2000:]}")
    return table


def _finished(command: Sequence[str]) -> tuple[int, str]:
    """The command's exit code and output; when it is interrupted, its trials end with it."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, output


def _read(path: Path) -> KillTable | None:
    try:
        return kill_table.parse_kill_table(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
