"""The tools whose reported times are compared with the true ones: their command lines, and how to read their reports.

Rule: each tool runs at a rate in its own way, if it has one; its figures are read from its own report and never
recomputed. Milliseconds.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtests.bench import tools
from loadtests.bench.generators import SCRIPTS, Workload, k6, locust
from loadtests.bench.payloads import HEADERS, ONE_PATH
from loadtests.bench.process import ProgramFailed, python_command
from loadtests.bench.sinks import HTTP
from loadtests.bench.true_latency import PERCENTILES

OPEN, PACED, CLOSED = "open", "paced", "closed"
BARE = "bare"  # the client whose errors are those of the machine


@dataclass(frozen=True)
class Reported:
    """The report of a tool: number of requests, percentiles in ms, and other figures about itself."""

    count: int
    times: Mapping[str, float]
    notes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Client:
    """A tool and its settings.

    model: open (requests start when they are due), closed (when the previous response came) or paced (closed, with
    Locust's constant_throughput per user). users: how many it may use at once. rates: rates per second to keep at the
    server that does not freeze. ends: its exit codes on success.
    """

    name: str
    title: str
    model: str
    needs: tuple[str, ...]
    users: int
    command: Callable[[Workload, float, int], Sequence[str]]
    read: Callable[[Path], Reported]
    rates: Sequence[float] = ()
    ends: tuple[int, ...] = (0,)

    def environment(self, rate: float) -> Mapping[str, str]:
        """Environment variables for our locustfiles at that rate; other tools ignore them."""
        pace = str(rate / self.users) if self.model == PACED else "0"
        return {"BENCH_USER": "Fast", "BENCH_PACE": pace, "BENCH_RATE": str(rate), "BENCH_TRANSPORT": HTTP}


def _ours_line(work: Workload, rate: float, seconds: int) -> Sequence[str]:
    arrivals = ["--rate", f"{rate:g}", "--arrivals", "even", "--run-time", f"{seconds}s"]
    return locust("ours.py", work, *arrivals, "--results", str(work.folder / "results"))


def _ours_figures(folder: Path) -> Reported:
    """Our own result: times from the intended start, start delays of journeys, and the number of dropped arrivals."""
    result: Mapping[str, Any] = json.loads((folder / "results" / "result.json").read_text())
    (operation,) = result["operations"]
    (arrivals,) = result["arrivals"].values()
    (health,) = result["health"].values()
    notes = {name: health[name] for name in ("late_p50_ms", "late_p99_ms", "late_max_ms")}
    summary = operation["summary"]
    if summary["failures"]:
        raise ProgramFailed(
            f"ours: {summary['failures']} of {summary['requests']} requests failed: {operation['failures']}"
        )
    times = {name: summary["corrected"][name] for name in PERCENTILES}
    return Reported(summary["requests"], times, {**notes, "busy": health["cpu_share"], "dropped": arrivals["dropped"]})


def _locust_line(work: Workload, _: float, seconds: int) -> Sequence[str]:
    return locust("stock.py", work, "--run-time", f"{seconds}s", "--csv", str(work.folder / "locust"))


def _locust_figures(folder: Path) -> Reported:
    """The row of all requests in Locust's CSV, whose percentiles are rounded and whose maximum is not."""
    with (folder / "locust_stats.csv").open(newline="") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    row = rows["Aggregated"]
    columns = {"p50": "50%", "p95": "95%", "p99": "99%", "p99.9": "99.9%", "max": "Max Response Time"}
    return Reported(int(row["Request Count"]), {name: float(row[column]) for name, column in columns.items()})


def _k6_line(work: Workload, rate: float, seconds: int) -> Sequence[str]:
    return _k6_closed_line(work, rate, seconds, "-e", f"RATE={round(rate)}")


def _k6_closed_line(work: Workload, _: float, seconds: int, *more: str) -> Sequence[str]:
    return k6("http.js", work, "-e", f"SECONDS={seconds}", "-e", f"OUT={work.folder / 'k6.json'}", *more)


def _k6_figures(folder: Path) -> Reported:
    metrics: Mapping[str, Any] = json.loads((folder / "k6.json").read_text())
    values = metrics["http_req_duration"]["values"]
    columns = {"p50": "p(50)", "p95": "p(95)", "p99": "p(99)", "p99.9": "p(99.9)", "max": "max"}
    dropped = metrics.get("dropped_iterations", {}).get("values", {}).get("count", 0)
    times = {name: float(values[column]) for name, column in columns.items()}
    return Reported(int(values["count"]), times, {"dropped": dropped})


def _wrk_line(work: Workload, _: float, seconds: int) -> Sequence[str]:
    headers = [part for name, value in HEADERS.items() for part in ("-H", f"{name}: {value}")]
    script = ["-s", str(SCRIPTS / "percentiles.lua")]
    many = ["-t1", f"-c{work.connections}", f"-d{seconds}s"]
    return [*tools.command_of("wrk"), *many, *script, *headers, work.url + ONE_PATH]


def _bare_line(work: Workload, rate: float, seconds: int) -> Sequence[str]:
    return [*python_command("loadtests.bench.bare_client"), work.url, f"{rate:g}", str(seconds), str(work.connections)]


def _last_line(name: str) -> Callable[[Path], Reported]:
    """Read figures in µs from the last line that is JSON."""

    def figures(folder: Path) -> Reported:
        lines = [line for line in (folder / "output.txt").read_text().splitlines() if line.startswith("{")]
        if not lines:
            raise ProgramFailed(f"{name} reported nothing")
        content = json.loads(lines[-1])
        return Reported(content["count"], {name: content[name] / 1000 for name in PERCENTILES})

    return figures


RATES = (500.0, 2000.0, 5000.0, 10_000.0)  # a second
FASTER = (*RATES, 20_000.0, 30_000.0, 40_000.0)
CLIENTS: Sequence[Client] = (
    # 1 and 3: dropped arrivals fail the run, or the generator was unfit; the table has a column for both
    Client("ours", "ours, open model", OPEN, ("locust",), 500, _ours_line, _ours_figures, FASTER, (0, 1, 3)),
    Client("k6", "k6, constant-arrival-rate", OPEN, ("k6",), 400, _k6_line, _k6_figures, RATES),
    Client("k6-closed", "k6, constant-vus", CLOSED, ("k6",), 10, _k6_closed_line, _k6_figures),
    Client(
        "locust-paced", "Locust, constant_throughput", PACED, ("locust",), 200, _locust_line, _locust_figures, RATES
    ),
    Client("locust-closed", "Locust, no waiting", CLOSED, ("locust",), 10, _locust_line, _locust_figures),
    Client("wrk", "wrk --latency", CLOSED, ("wrk",), 10, _wrk_line, _last_line("wrk")),
    Client(BARE, "a client that does nothing else", OPEN, (), 500, _bare_line, _last_line(BARE), RATES),
)
NAMES = {client.name: client for client in CLIENTS}
