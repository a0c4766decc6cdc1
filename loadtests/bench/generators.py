"""The load generators that are compared: their names and command lines.

Rule: each runs as its documentation says, with the fastest settings that still do the work. All send the same headers,
and those that can vary their requests do. Ours runs as users run it: under Locust.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from loadtests.bench import tools
from loadtests.bench.payloads import CALL, DEVICE_ID, HEADERS, ONE_PATH, TOKEN
from loadtests.bench.process import free_port, python_command
from loadtests.bench.sinks import ENGINE, HTTP, TEXT_PATH, WEBSOCKET
from loadtests.targets.run_targets import PERMIT_VARIABLE

SCRIPTS = Path(__file__).parent / "scripts"
ENDS = (0, 3)  # 3: a generator at full speed reports, correctly, that it is unfit to measure a server
LONG = 3600  # seconds; the measured window ends long before


@dataclass(frozen=True)
class Workload:
    """What a generator has to do: send requests to `url` over so many connections; it may write to `folder`."""

    url: str
    connections: int
    folder: Path


@dataclass(frozen=True)
class Generator:
    """A load generator.

    name: its value for `--only`. needs: the tools it needs, by their names in tools.py. ends_with: its exit codes after
    SIGTERM on success; empty if they mean nothing.
    """

    name: str
    title: str
    transport: str
    needs: tuple[str, ...]
    command: Callable[[Workload], list[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    ends_with: tuple[int, ...] = ()


def _headers(flag: str) -> list[str]:
    return [part for name, value in HEADERS.items() for part in (flag, f"{name}: {value}")]


def locust(file: str, work: Workload, *more: str) -> list[str]:
    """The command of a headless Locust with one user per connection."""
    users = ["--users", str(work.connections), "--spawn-rate", str(work.connections)]
    line = [*python_command("locust"), "--headless", "--only-summary", "--loglevel", "WARNING", *users]
    return [*line, "--host", work.url.rstrip("/"), "--locustfile", str(SCRIPTS / file), *more]


def k6(file: str, work: Workload, *more: str) -> list[str]:
    """The command of k6 with one of our scripts, which gets its settings by -e."""
    variables = {
        "URL": work.url,
        "VUS": str(work.connections),
        "HEADERS": json.dumps(HEADERS),
        "CALL": json.dumps(CALL, separators=(",", ":")).replace(DEVICE_ID, DEVICE_ID.replace("{:04x}", "{number}")),
    }
    line = [*tools.command_of("k6"), "run", "--quiet", "--no-usage-report", "--log-output=stderr", "--address", ""]
    settings = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
    return [*line, *settings, *more, str(SCRIPTS / file)]


def _wrk(work: Workload) -> list[str]:
    return [
        *tools.command_of("wrk"),
        "-t1",
        f"-c{work.connections}",
        f"-d{LONG}s",
        *_headers("-H"),
        work.url + ONE_PATH,
    ]


def _hey(work: Workload) -> list[str]:
    many = ["-c", str(work.connections), "-cpus", "1", "-z", f"{LONG}s"]
    return [*tools.command_of("hey"), *many, *_headers("-H"), work.url + ONE_PATH]


def _autocannon(work: Workload) -> list[str]:
    many = ["-c", str(work.connections), "-d", str(LONG), "--no-progress"]
    return [*tools.command_of("autocannon"), *many, *_headers("-H"), work.url + ONE_PATH]


def _artillery(scenario: Callable[[], Mapping[str, object]]) -> Callable[[Workload], list[str]]:
    def command(work: Workload) -> list[str]:
        phase = {"duration": 1, "arrivalCount": work.connections}
        script = {"config": {"target": work.url, "phases": [phase]}, "scenarios": [scenario()]}
        file = work.folder / "artillery.json"
        file.write_text(json.dumps(script))
        return [*tools.command_of("artillery"), "run", "--quiet", str(file)]

    return command


def _gets() -> Mapping[str, object]:
    get = {"url": "/v2/tasks/1{{ $loopCount }}?organization_id=52", "headers": HEADERS}
    return {"flow": [{"loop": [{"get": get}], "count": 10**9}]}


def _calls() -> Mapping[str, object]:
    call = {**CALL, "objectid": DEVICE_ID.replace("{:04x}", "{{ $loopCount }}"), "token": TOKEN}
    send = {"payload": json.dumps(call, separators=(",", ":")), "capture": {"json": "$.success", "as": "success"}}
    return {"engine": "ws", "flow": [{"loop": [{"send": send}], "count": 10**9}]}


def _ours(name: str, title: str, transport: str, *more: str, workers: int = 1) -> Generator:
    """Ours; with `--judge` the requests are made from the contract and responses are validated by it."""
    file = "contract.py" if more else "ours.py"
    variables = {
        "BENCH_TRANSPORT": transport,
        "GETFLOW_ORGANIZATION_ID": "52",
        "GETFLOW_TOKEN": TOKEN,
        "BITVIS_TOKEN": TOKEN,
        PERMIT_VARIABLE: f"the benchmark that started this server, {date.today()}",
    }

    def command(work: Workload) -> list[str]:
        target = replace(work, url=work.url.replace("ws://", "http://")) if more else work  # contracts need http
        port = str(free_port())
        shared = ["--processes", str(workers), "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
        forked = [*shared, "--master-port", port] if workers > 1 else []
        return locust(file, target, "--results", str(work.folder / "results"), *more, *forked)

    return Generator(name, title, transport, ("locust",), command, variables, ENDS)


def _by_text(name: str, title: str) -> Generator:
    """Ours by the text protocol of the engine that `_ours` calls by its JSON protocol."""
    by_json = _ours(name, title, ENGINE)

    def command(work: Workload) -> list[str]:
        return by_json.command(replace(work, url=f"{work.url.replace(f'{ENGINE}:', 'deepstream-text:')}{TEXT_PATH}"))

    return replace(by_json, command=command)


def _stock(name: str, title: str, transport: str, user: str) -> Generator:
    variables = {"BENCH_USER": user}
    return Generator(name, title, transport, ("locust",), lambda work: locust("stock.py", work), variables, (0,))


def _k6(name: str, title: str, transport: str, script: str, judged: str = "0") -> Generator:
    more = ("-e", f"JUDGED={judged}")
    return Generator(name, title, transport, ("k6",), lambda work: k6(script, work, *more))


OURS = "ours, status only"
CONTRACT = "ours, requests made from the contract, status only"
JUDGED = "ours, requests created from the contract, every response validated by it"
GENERATORS: Sequence[Generator] = (
    _ours("ours", OURS, HTTP),
    _ours("ours-2", f"{OURS}, two worker processes", HTTP, workers=2),
    _ours("ours-contract", CONTRACT, HTTP, "--judge", "status"),
    _ours("ours-judged", JUDGED, HTTP, "--judge", "all"),
    Generator("wrk", "wrk", HTTP, ("wrk",), _wrk),
    Generator("hey", "hey", HTTP, ("hey",), _hey),
    Generator("autocannon", "autocannon", HTTP, ("node", "autocannon"), _autocannon),
    _k6("k6", "k6, no checks, bodies discarded", HTTP, "http.js"),
    _k6("k6-judged", "k6, JSON checked by hand, Trend", HTTP, "http.js", "1"),
    _stock("locust-fast", "Locust FastHttpUser", HTTP, "Fast"),
    _stock("locust-http", "Locust HttpUser", HTTP, "Requests"),
    Generator("artillery", "Artillery", HTTP, ("node", "artillery"), _artillery(_gets)),
    _ours("ws-ours", OURS, WEBSOCKET),
    _ours("ws-ours-2", f"{OURS}, two worker processes", WEBSOCKET, workers=2),
    _ours("ws-ours-contract", CONTRACT, WEBSOCKET, "--judge", "status"),
    _ours("ws-ours-judged", JUDGED, WEBSOCKET, "--judge", "all"),
    _k6("ws-k6", "k6 `k6/ws`, counts only", WEBSOCKET, "websocket.js"),
    _k6("ws-k6-judged", "k6 `k6/ws`, JSON checked by hand, Trend", WEBSOCKET, "websocket.js", "1"),
    _k6("ws-k6x", "k6 `k6/experimental/websockets`, counts only", WEBSOCKET, "websockets.js"),
    _k6(
        "ws-k6x-judged", "k6 `k6/experimental/websockets`, JSON checked by hand, Trend", WEBSOCKET, "websockets.js", "1"
    ),
    _stock("ws-locust", "Locust with plain websocket-client", WEBSOCKET, "Websocket"),
    _ours("engine-ours", f"{OURS}, JSON protocol", ENGINE),
    _by_text("engine-text-ours", f"{OURS}, text protocol"),
    Generator("ws-artillery", "Artillery, send and capture", WEBSOCKET, ("node", "artillery"), _artillery(_calls)),
)
NAMES = {generator.name: generator for generator in GENERATORS}
