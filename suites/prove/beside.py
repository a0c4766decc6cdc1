"""Our verdicts beside stock Schemathesis's, in one table.

Rule: both columns are about the same changes; a change that our last kill table does not have is proven now.
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
from reports import compared, kill_page, kills
from reports.compared import Comparison, Row, Side, Sum
from reports.kills import Made, Proof, Result
from suites.bench import stock
from suites.prove import against
from suites.prove.against import HONEST, Told

ROOT = Path(__file__).parents[2]


def main(changes: Sequence[tuple[str, Change]], made: Made, out: Path, which: str, publish: bool) -> int:
    """Runs Schemathesis against these changes and writes the table: 0 when it is there, 2 when not, 130 after ^C."""
    try:
        stock.executable()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        ours = _ours(changes, made.jobs, out)
        told = against.compare(changes, made.jobs, lambda one: print(line(one), flush=True))
    except (stock.Absent, RuntimeError) as problem:
        print(f"prove: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("prove: interrupted", file=sys.stderr)
        return 130
    found = comparison(told, ours, made, which)
    print(f"\n{markdown(found)}")
    for folder in (out, *([kills.PUBLISHED] if publish else ())):
        print(os.path.relpath(write(folder, found)))
    kill_page.write(out, out)
    return 0


def write(folder: Path, found: Comparison) -> Path:
    """Writes against-schemathesis.json and .md, and returns the path of the latter."""
    (folder / compared.NAME).write_text(compared.text(found), "utf-8")
    path = (folder / compared.NAME).with_suffix(".md")
    path.write_text(markdown(found), "utf-8")
    return path


def line(one: Told) -> str:
    """One run for a terminal."""
    return f"{verdict(one):8} {one.api}.{one.name}  {one.requests} requests, {one.seconds:.1f} s  {_about(one)}"


def verdict(one: Told) -> str:
    """killed or missed, blamed or ok, in the words of the kill table but for the first two."""
    if one.kind == HONEST:
        return "blamed" if one.failures else "ok"
    if one.kind == "variant":
        return "blamed" if one.new else "ok"
    return "killed" if one.new else "stopped" if one.stopped else "missed"


def comparison(told: Sequence[Told], ours: Proof, made: Made, which: str) -> Comparison:
    """Both sides on these changes; raises KeyError when our kill table lacks one."""
    results = {(one.api, one.name, one.kind): one for one in ours.results}

    def side(one: Told) -> Side:
        return _honest(one.api, ours) if one.kind == HONEST else _side(results[one.api, one.name, one.kind])

    ordered = sorted(told, key=lambda one: (one.kind, one.api, one.name))
    rows = tuple(Row(one.api, one.name, one.kind, side(one), _theirs(one)) for one in ordered)
    return Comparison(made, f"Schemathesis {version('schemathesis')}", which, rows)


def _theirs(one: Told) -> Side:
    alarms = one.failures if one.kind == HONEST else one.new
    return Side(verdict(one), _about(one), len(alarms), one.requests, round(one.seconds, 1))


def _side(result: Result) -> Side:
    is_hit = result.verdict != "ok" if result.kind == "variant" else result.verdict == "caught"
    says = ", ".join(result.shown.clauses) if result.shown else ""
    return Side(result.verdict, says, int(is_hit), result.requests, round(result.seconds, 1))


def _honest(api: str, ours: Proof) -> Side:
    """What we say of the honest reference; the proof does not count that run's requests and seconds by API."""
    alarms = [one for one in ours.honest if _api(one.test) == api]
    return Side("blamed" if alarms else "ok", "; ".join(one.test for one in alarms), len(alarms), 0, 0.0)


def markdown(found: Comparison) -> str:
    """Both columns, in sum, by API, and fault by fault."""
    lines = [
        "# Beside stock Schemathesis",
        "",
        f"{found.tool} on {found.sample}. Made {found.made.when} by `{found.made.command}`.",
        "",
        f"`schemathesis run` with seed {against.SEED}, one worker and its defaults otherwise, on the same documents.",
        "It kills a fault when it tells of a kind of failure at an operation that it does not tell of the honest",
        "reference, whether or not the fault broke just that; we do when a clause is blamed that the fault breaks. Its",
        "requests and seconds are of whole runs over sockets; ours end at the first rightful complaint and go to",
        "references in the same process. Requests and seconds are those of the faults and variants.",
        "",
        "| | | faults killed | variants blamed | false alarms, honest | requests | seconds |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for api in [*sorted({row.api for row in found.rows}), "all"]:
        ours, theirs = compared.sums([row for row in found.rows if api in (row.api, "all")])
        lines += [_sum(api, "ours", ours), _sum(api, "Schemathesis", theirs)]
    lines += ["", "| | fault or variant | ours | Schemathesis | what it says |", "|---|---|---|---|---|"]
    lines += [
        _row([row.kind, f"`{row.api}.{row.name}`", row.ours.verdict, row.theirs.verdict, row.theirs.says])
        for row in found.rows
    ]
    return "\n".join(lines) + "\n"


def _sum(api: str, side: str, one: Sum) -> str:
    killed, blamed = f"{one.killed} of {one.faults}", f"{one.blamed} of {one.variants}"
    return _row([api, side, killed, blamed, str(one.alarms), f"{one.requests:,}", f"{one.seconds:,.0f}"])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _api(test: str) -> str:
    """The API that a test's id names: its folder's, or its first parameter's."""
    return test.split("[")[1].split()[0] if "[" in test and test.count("/") < 2 else test.split("/")[1]


def _about(one: Told) -> str:
    shown = one.failures if one.kind == HONEST else one.new
    return "; ".join(f"{kind} at {operation}" for kind, operation in sorted(shown))


def _ours(changes: Sequence[tuple[str, Change]], jobs: int, out: Path) -> Proof:
    """Our kill table with all of these changes: the last one, or one that is made now. Raises RuntimeError."""
    found = _read(out / kills.NAME)
    wanted = {(api, change.name, change.kind) for api, change in changes}
    if found and wanted <= {(one.api, one.name, one.kind) for one in found.results}:
        return found
    print("prove: the last kill table lacks some of these; proving them now", flush=True)
    folder = out / "against"
    names = ",".join(f"{api}.{change.name}" for api, change in changes)
    command = [sys.executable, "-m", "suites.prove", "--jobs", str(jobs), "--out", str(folder), "--only", names]
    command += [word for api in sorted({api for api, _ in changes}) for word in ("--api", api)]
    code, said = _finished(command)
    made = _read(folder / kills.NAME)
    if made is None or code not in (0, 1):
        raise RuntimeError(f"our own side ended with {code}\n{said[-2000:]}")
    return made


def _finished(command: Sequence[str]) -> tuple[int, str]:
    """The command's exit code and what it said; when it is interrupted, its trials end with it."""
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
        said, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, said


def _read(path: Path) -> Proof | None:
    try:
        return kills.proof(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
