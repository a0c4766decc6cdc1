"""Our verdicts beside stock Schemathesis's, in one table.

Rule: both columns are about the same changes; a change that our last kill table does not have is proven now.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from fixtures.reference.protocol import Change
from suites.bench import stock
from suites.prove import against
from suites.prove.against import HONEST, Told

ROOT = Path(__file__).parents[2]
Ours = Mapping[str, Any]  # the kill table as it is on disk


def main(changes: Sequence[tuple[str, Change]], jobs: int, out: Path, which: str) -> int:
    """Runs Schemathesis against these changes and writes the table: 0 when it is there, 2 when not, 130 after ^C."""
    try:
        stock.executable()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        ours = _ours(changes, jobs, out)
        told = against.compare(changes, jobs, lambda one: print(line(one), flush=True))
    except (stock.Absent, RuntimeError) as problem:
        print(f"prove: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("prove: interrupted", file=sys.stderr)
        return 130
    text = markdown(told, ours, which)
    path = out / "against-schemathesis.md"
    path.write_text(text)
    records = [{**asdict(one), "failures": sorted(one.failures), "new": sorted(one.new)} for one in told]
    (out / "against-schemathesis.json").write_text(json.dumps({"sample": which, "runs": records}, indent=1))
    print(f"\n{text}\n{path}")
    return 0


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


def markdown(told: Sequence[Told], ours: Ours, which: str) -> str:
    """Both columns, in sum, by API, and fault by fault."""
    results = {(one["api"], one["name"], one["kind"]): one for one in ours["results"]}
    apis = sorted({one.api for one in told})
    lines = [
        "# Beside stock Schemathesis",
        "",
        f"{which}.",
        "",
        f"`schemathesis run` with seed {against.SEED}, one worker and its defaults otherwise, on the same documents.",
        "It kills a fault when it tells of a kind of failure at an operation that it does not tell of the honest",
        "reference, whether or not the fault broke just that; we do when a clause is blamed that the fault breaks. Its",
        "requests and seconds are of whole runs over sockets; ours end at the first rightful complaint and go to",
        "references in the same process.",
        "",
        "| | | faults killed | variants blamed | false alarms, honest | requests | seconds |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for api in [*apis, "all"]:
        some = [one for one in told if api in (one.api, "all")]
        lines += [_ours_row(api, some, results, ours), _stock_row(api, some)]
    lines += ["", "| | fault or variant | ours | Schemathesis | what it says |", "|---|---|---|---|---|"]
    for one in sorted(told, key=lambda one: (one.kind, one.api, one.name)):
        mine = results.get((one.api, one.name, one.kind), {}).get("verdict", "ok" if not ours["honest"] else "blamed")
        lines.append(f"| {one.kind} | `{one.api}.{one.name}` | {mine} | {verdict(one)} | {_about(one)} |")
    return "\n".join(lines) + "\n"


def _stock_row(api: str, told: Sequence[Told]) -> str:
    faults, variants = ([one for one in told if one.kind == kind] for kind in ("fault", "variant"))
    return _row(
        [
            api,
            "Schemathesis",
            f"{sum(bool(one.new) for one in faults)} of {len(faults)}",
            f"{sum(bool(one.new) for one in variants)} of {len(variants)}",
            str(sum(len(one.failures) for one in told if one.kind == HONEST)),
            f"{sum(one.requests for one in told):,}",
            f"{sum(one.seconds for one in told):,.0f}",
        ]
    )


def _ours_row(api: str, told: Sequence[Told], results: Mapping[tuple[str, str, str], Any], ours: Ours) -> str:
    some = [results[one.api, one.name, one.kind] for one in told if one.kind != HONEST]
    faults, variants = ([one for one in some if one["kind"] == kind] for kind in ("fault", "variant"))
    return _row(
        [
            api,
            "ours",
            f"{sum(one['verdict'] == 'caught' for one in faults)} of {len(faults)}",
            f"{sum(one['verdict'] != 'ok' for one in variants)} of {len(variants)}",
            str(sum(api in ("all", _api(one["test"])) for one in ours["honest"])),
            f"{sum(one['requests'] for one in some):,}",
            f"{sum(one['seconds'] for one in some):,.0f}",
        ]
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _api(test: str) -> str:
    """The API that a test's id names: its folder's, or its first parameter's."""
    return test.split("[")[1].split()[0] if "[" in test and test.count("/") < 2 else test.split("/")[1]


def _about(one: Told) -> str:
    shown = one.failures if one.kind == HONEST else one.new
    return "; ".join(f"{kind} at {operation}" for kind, operation in sorted(shown)).replace("|", "\\|")


def _ours(changes: Sequence[tuple[str, Change]], jobs: int, out: Path) -> Ours:
    """Our kill table with all of these changes: the last one, or one that is made now. Raises RuntimeError."""
    found = _read(out / "kill-table.json")
    wanted = {(api, change.name, change.kind) for api, change in changes}
    if found and wanted <= {(one["api"], one["name"], one["kind"]) for one in found["results"]}:
        return found
    print("prove: the last kill table lacks some of these; proving them now", flush=True)
    folder = out / "against"
    names = ",".join(f"{api}.{change.name}" for api, change in changes)
    command = [sys.executable, "-m", "suites.prove", "--jobs", str(jobs), "--out", str(folder), "--only", names]
    command += [word for api in sorted({api for api, _ in changes}) for word in ("--api", api)]
    code, said = _finished(command)
    made = _read(folder / "kill-table.json")
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


def _read(path: Path) -> Ours | None:
    try:
        found: Ours = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
