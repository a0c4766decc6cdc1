"""The floor of the comparison of costs: what the least that a client can do costs, in C, and the kernel's part of it.

Rule: nothing that sends requests over the kernel's sockets can cost less than its system part; between the clients in
C and ours lies what a load generator does besides: plan, make requests, validate, record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from loadtests.bench import tools
from loadtests.bench.cost_table import machine, row
from loadtests.bench.figures import Target, cost_ratios, runs_of, spread_text, values
from loadtests.bench.generators import NAMES, Generator, Workload
from loadtests.bench.measure import QUIET, WARM, WINDOWS, Measurement
from loadtests.bench.payloads import HEADERS, ONE_PATH
from loadtests.bench.sinks import HTTP

HEAD = """# The floor: the least that a request costs

Clients in C (`loadtests/bench/native/`) that repeat one request over {connections} connections and look at status and
length of the response, beside other generators and ours. CPU-ms for 1,000 requests by the kernel, the user and the
system part apart, which it samples: a short window tells them apart roughly. The server has a core of its own.
{rounds} rounds of {seconds:g} s, {warm:g} s after the first requests, one generator after the other in each: medians,
smallest and largest in brackets; ratios are medians of those within the rounds. Up to {windows} windows are measured,
until other programs use {quiet:.0%} or less of the two cores; "others" is what they used. {machine}.
"""
COLUMNS = ("", "CPU-ms for 1,000", "user", "system", "the kernel's share", "times the epoll client", "others")
LEAST = "epoll-client"


def _client(name: str, title: str) -> Generator:
    def command(work: Workload) -> list[str]:
        port, file = urlsplit(work.url).port, work.folder / "request.bin"
        head = [f"GET {ONE_PATH} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{key}: {it}" for key, it in HEADERS.items())]
        file.write_text("\r\n".join([*head, "", ""]))
        return [*tools.command_of(name), str(port), str(work.connections), str(file)]

    return Generator(name, title, HTTP, (name,), command)


OURS = {name: NAMES[name] for name in ("ours", "ours-contract", "ours-judged")}
GENERATORS: Sequence[Generator] = (
    _client("uring-client", "C over io_uring"),
    _client(LEAST, "C over epoll"),
    NAMES["wrk"],
    NAMES["k6"],
    *OURS.values(),
)


def markdown(
    runs: Sequence[Measurement], troubles: Mapping[str, str], rounds: int, seconds: float, connections: int = 64
) -> str:
    """The table. troubles: why a generator has no figures."""
    words = {"rounds": rounds, "seconds": seconds, "connections": connections, "machine": machine()}
    lines = [HEAD.format(warm=WARM, windows=WINDOWS, quiet=QUIET, **words)]
    lines += [row(COLUMNS), "|---|" + "---:|" * (len(COLUMNS) - 1)]
    lines += [_generator(runs, generator, troubles) for generator in GENERATORS]
    return "\n".join(lines) + "\n"


def write(folder: Path, runs: Sequence[Measurement], troubles: Mapping[str, str], rounds: int, seconds: float) -> Path:
    """Write bench-floor.md and bench-floor.json; return the path of the former."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine(), "runs": [asdict(run) for run in runs], "troubles": dict(troubles)}
    (folder / "bench-floor.json").write_text(json.dumps(content, indent=1))
    path = folder / "bench-floor.md"
    path.write_text(markdown(runs, troubles, rounds, seconds))
    return path


def _generator(runs: Sequence[Measurement], generator: Generator, troubles: Mapping[str, str]) -> str:
    title = generator.title
    if generator.name in troubles:
        title += f" ({troubles[generator.name].splitlines()[0]})"
    mine = runs_of(runs, generator.name)
    costs = [
        values(mine, lambda run: run.cost),
        values(mine, lambda run: max(0.0, run.cpu - run.system) / run.requests * 1e6),
        values(mine, lambda run: run.system / run.requests * 1e6),
    ]
    share = spread_text(values(mine, lambda run: 100 * run.system / run.cpu), 0)
    others = spread_text(values(mine, lambda run: 100 * run.others), 0)
    ratios = cost_ratios(runs, Target(generator.name, (LEAST,), 1, ""))
    texts = [spread_text(cost, 2) for cost in costs]
    return row((title, *texts, f"{share} %" if share else "", spread_text(ratios, 2), f"{others} %" if others else ""))
