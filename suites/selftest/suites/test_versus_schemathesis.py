"""Tests of the comparisons with stock Schemathesis: what counts as a request, what as a kill, and the tables.

Rule: no test compares speeds; one tiny run shows that the parts fit, and the other tests use made-up runs.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.openapi import Contract, from_document, load_contract
from fixtures.reference import load
from fixtures.reference.protocol import Reply, Request, World
from reports.mutation.kill_table import Complaint, MutationResult
from suites.bench import __main__ as bench
from suites.bench import stock_schemathesis, throughput_table
from suites.bench import throughput as running
from suites.bench.counting_reference import CountingApp, request_head
from suites.bench.throughput import STOCK, Run
from suites.mutation import __main__ as prove
from suites.mutation import schemathesis_trial, versus_schemathesis
from suites.mutation.schemathesis_trial import HONEST, ToolRun
from suites.selftest.reports.kill_sample import PROVENANCE, kill_table_of

PLAIN = ("GET", b"/shop/goods", b"limit=1", [(b"accept", b"text/csv")])
RUN = Run("shop", STOCK, sent=100, distinct=60, judged=50, seconds=10.0, cpu=8.0, starting=0.5, sending=9.0, findings=0)
SCHEMA = ("JsonSchemaError", "GET /goods")
STATUS = ("UndefinedStatusCode", "GET /goods")


@pytest.mark.parametrize(
    "noise",
    [
        (b"user-agent", b"any"),
        (b"x-schemathesis-testcaseid", b"ab12"),
        (b"accept-encoding", b"gzip"),
        (b"connection", b"keep-alive"),
        (b"content-length", b"0"),
    ],
)
def test_ignored_header_makes_no_other_request(noise: tuple[bytes, bytes]) -> None:
    method, path, query, headers = PLAIN
    assert request_head(method, path, query, [*headers, noise]) == request_head(*PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        ("POST", *PLAIN[1:]),
        ("GET", b"/shop/goods/", *PLAIN[2:]),
        ("GET", b"/shop/goods", b"limit=2", PLAIN[3]),
        (*PLAIN[:3], [(b"accept", b"application/json")]),
        (*PLAIN[:3], [*PLAIN[3], (b"authorization", b"none")]),
    ],
)
def test_request_differs_by(other: tuple[str, bytes, bytes, list[tuple[bytes, bytes]]]) -> None:
    assert request_head(*other) != request_head(*PLAIN)


class Tiny:
    """An API that accepts every request."""

    world: World

    def handle(self, request: Request) -> Reply:
        return Reply(200, body=request.body)


def counted(*bodies: list[bytes], cut: bool = False) -> CountingApp:
    """The counter after requests with these bodies in pieces; with `cut` the client leaves during the response."""
    app = CountingApp({"shop": Tiny()}, {}, ("127.0.0.1", 1))  # type: ignore[dict-item]  # it uses nothing of its world
    app.requests = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/shop/",
        "raw_path": b"/shop/",
        "query_string": b"",
        "headers": [],
        "client": None,
        "server": ("127.0.0.1", 1),
        "http_version": "1.1",
    }

    async def send_request(pieces: list[bytes]) -> None:
        events = [{"type": "http.request", "body": body, "more_body": True} for body in pieces]
        events[-1]["more_body"] = False

        async def receive() -> Any:
            return events.pop(0)

        async def send(message: Any) -> None:
            if cut and message["type"] == "http.response.body":
                raise ConnectionResetError

        await app(scope, receive, send)

    for body in bodies:
        asyncio.run(send_request(body))
    return app


def test_requests_are_told_apart_by_their_body_however_it_is_split() -> None:
    requests = counted([b"hi"], [b"h", b"i"], [b"ho"]).requests
    assert [requests.index(digest) for digest in requests] == [0, 0, 2]


def test_request_without_a_complete_response_is_not_counted() -> None:
    with pytest.raises(ConnectionResetError):
        counted([b"hi"], cut=True)


def test_run_of_ours_is_judged_and_counted(tmp_path: Path) -> None:
    run = running.run("flowback", "cold", 1, tmp_path)
    assert run.findings == 0
    assert run.sent >= run.distinct >= run.judged > 50
    assert run.seconds > run.starting + run.sending > run.sending > 0
    assert not list(tmp_path.iterdir()), "a cold run leaves no cases to the next"


def test_warm_run_that_has_no_cases_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no cases were cached"):
        running.run("flowback", "warm", 1, tmp_path)


def test_times_stock_is_taken_round_by_round() -> None:
    stocks = [RUN, replace(RUN, seconds=20.0)]
    ours = [replace(RUN, side="warm", seconds=seconds) for seconds in (1.0, 1.0)]
    assert throughput_table.ratios([*stocks, *ours], "shop", "warm") == [10.0, 20.0]


def test_table_has_a_row_for_each_side_with_median_and_spread(tmp_path: Path) -> None:
    runs = [RUN, replace(RUN, side="cold", seconds=2.0), RUN, replace(RUN, side="cold", seconds=1.0)]
    path = throughput_table.write(tmp_path, runs)
    rows = [line for line in path.read_text().splitlines() if line.startswith("| shop")]
    assert len(rows) == 2
    assert "| 5 | 1.0 | 8.00 | 1.0 |" in rows[0]
    assert "1.50 (1.00 to 2.00)" in rows[1]
    assert "7.5 (5.0 to 10.0)" in rows[1]
    assert len(json.loads((tmp_path / "bench-contract.json").read_text())) == 4


@pytest.mark.parametrize("main", [lambda: bench.main([]), lambda: prove.main(["--against", "schemathesis"])])
def test_missing_schemathesis_is_one_line_that_says_what_to_do(
    main: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stock_schemathesis.shutil, "which", lambda *_, **__: None)
    assert main() == 2
    error = capsys.readouterr().err
    assert "install it" in error
    assert error.count("\n") == 1


def test_stock_gets_the_server_that_needs_no_headers_and_our_credentials() -> None:
    line = stock_schemathesis.command(load_contract("getflow"), "http://127.0.0.1:1/getflow", load("getflow").KNOWN, 7)
    assert line[line.index("--url") + 1] == "http://127.0.0.1:1/getflow/v2"
    assert line[line.index("-H") + 1] == f"Authorization: Bearer {load('getflow').KNOWN['TOKEN']}"
    assert line[line.index("--seed") + 1] == "7"


def test_contract_whose_servers_all_need_headers_is_refused_by_name() -> None:
    contract = from_document("shop", {"paths": {}, "servers": [{"url": "/", "x-headers": {"Accept": "a/b"}}]})
    with pytest.raises(LookupError, match="shop"):
        stock_schemathesis.usable_server(contract)


def report(failures: list[stock_schemathesis.Failure]) -> str:
    entries = [{"type": kind, "operations": [operation]} for kind, operation in failures]
    return json.dumps({"failures": entries, "test_cases": {"generated": 9}})


@pytest.fixture
def stand_in_for_schemathesis(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for Schemathesis that reports one failure always, and another one where a list is not JSON."""
    script = """
import sys, urllib.request
url, key, path, honest, faulty = sys.argv[1:]
request = urllib.request.Request(url + "/users", headers={"Authorization": key})
plain = "text/plain" in urllib.request.urlopen(request).headers["content-type"]
open(path, "w").write(faulty if plain else honest)
sys.exit(1)
"""

    def command(contract: Contract, url: str, settings: Mapping[str, str], seed: int, *more: str) -> list[str]:
        del contract, seed
        reports = (report([STATUS]), report([STATUS, SCHEMA]))
        return [sys.executable, "-c", script, url, settings["TOKEN"], more[-1], *reports]

    monkeypatch.setattr(stock_schemathesis, "command", command)


@pytest.mark.usefixtures("stand_in_for_schemathesis")
def test_only_a_failure_that_the_honest_reference_does_not_have_is_a_kill() -> None:
    faults = load("flowback").FAULTS
    visible, invisible = faults["lists_as_plain_text"], faults["drops_the_username_of_a_row"]
    runs = {
        run.name: run
        for run in schemathesis_trial.run_tool([("flowback", visible), ("flowback", invisible)], 1, lambda _: None)
    }
    assert runs[HONEST].failures == {STATUS}
    assert (runs[visible.name].new, versus_schemathesis.verdict(runs[visible.name])) == ({SCHEMA}, "killed")
    assert (runs[invisible.name].new, versus_schemathesis.verdict(runs[invisible.name])) == (set(), "missed")


def run_of(name: str, kind: str, *failures: stock_schemathesis.Failure) -> ToolRun:
    new = frozenset(failures) - {STATUS}
    return ToolRun("shop", name, kind, frozenset(failures), 10, 2.0, frozenset() if kind == HONEST else new)


def ours(name: str, kind: str, *complaints: Complaint) -> MutationResult:
    return MutationResult("shop", name, kind, ("SHOP-1",), "", complaints, 3, 1.0)


def test_comparison_has_both_columns() -> None:
    runs = [
        run_of(HONEST, HONEST, STATUS),
        run_of("a", "fault", STATUS, SCHEMA),
        run_of("b", "fault", STATUS),
        run_of("c", "variant", SCHEMA),
    ]
    rightful = Complaint("suites/shop/test_goods.py::test_limit", ("SHOP-1",), "")
    results = (ours("a", "fault", rightful), ours("b", "fault", rightful), ours("c", "variant"))
    rows = versus_schemathesis.markdown(
        versus_schemathesis.comparison(runs, kill_table_of(*results), PROVENANCE, "a sample")
    ).splitlines()
    assert "| shop | ours | 2 of 2 | 0 of 1 | 0 | 9 | 3 |" in rows
    assert "| shop | Schemathesis | 1 of 2 | 1 of 1 | 1 | 30 | 6 |" in rows
    assert "| fault | `shop.b` | caught | missed |  |" in rows


def test_default_sample_is_forty_faults_and_twelve_variants() -> None:
    everything = [
        (api, change)
        for api in ("flowback", "bitvis")
        for kind in ("FAULTS", "VARIANTS")
        for change in getattr(load(api), kind).values()
    ]
    kinds = [change.kind for _, change in schemathesis_trial.default_sample(everything)]
    assert (kinds.count("fault"), kinds.count("variant")) == (
        schemathesis_trial.SAMPLED_FAULTS,
        schemathesis_trial.SAMPLED_VARIANTS,
    )
