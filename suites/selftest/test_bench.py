"""The comparisons with stock Schemathesis: what counts as a request, what as a kill, and the tables.

Rule: nothing here is timed; one tiny run shows that the parts fit, everything else is given.
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

from contracts.document import Contract, contract, from_document
from fixtures.reference import load
from fixtures.reference.protocol import Reply, Request, World
from reports.kills import Complaint, Result
from suites.bench import __main__ as bench
from suites.bench import run as running
from suites.bench import stock, table
from suites.bench.counted import Counted, head
from suites.bench.run import STOCK, Run
from suites.prove import __main__ as prove
from suites.prove import against, beside
from suites.prove.against import HONEST, Told
from suites.selftest.kill_sample import MADE, proof

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
def test_header_that_says_nothing_makes_no_other_request(noise: tuple[bytes, bytes]) -> None:
    method, path, query, headers = PLAIN
    assert head(method, path, query, [*headers, noise]) == head(*PLAIN)


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
    assert head(*other) != head(*PLAIN)


class Tiny:
    """An API that is content with everything."""

    world: World

    def handle(self, request: Request) -> Reply:
        return Reply(200, body=request.body)


def counted(*bodies: list[bytes], cut: bool = False) -> Counted:
    """The counter after requests with these bodies, each in pieces; `cut` when the client leaves during the answer."""
    app = Counted({"shop": Tiny()}, {}, ("127.0.0.1", 1))  # type: ignore[dict-item]  # it asks its world for nothing
    app.requests = []
    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": b"/shop/",
        "query_string": b"",
        "headers": [],
        "client": None,
        "server": ("127.0.0.1", 1),
        "http_version": "1.1",
    }

    async def one(pieces: list[bytes]) -> None:
        left = [{"type": "http.request", "body": body, "more_body": True} for body in pieces]
        left[-1]["more_body"] = False

        async def receive() -> Any:
            return left.pop(0)

        async def send(message: Any) -> None:
            if cut and message["type"] == "http.response.body":
                raise ConnectionResetError

        await app(scope, receive, send)

    for body in bodies:
        asyncio.run(one(body))
    return app


def test_requests_are_counted_by_their_body_however_it_comes() -> None:
    found = counted([b"hi"], [b"h", b"i"], [b"ho"]).requests
    assert [found.index(one) for one in found] == [0, 0, 2]


def test_request_without_a_whole_answer_is_not_counted() -> None:
    with pytest.raises(ConnectionResetError):
        counted([b"hi"], cut=True)


def test_run_of_ours_is_judged_and_counted(tmp_path: Path) -> None:
    one = running.run("flowback", "cold", 1, tmp_path)
    assert one.findings == 0
    assert one.sent >= one.distinct >= one.judged > 50
    assert one.seconds > one.starting + one.sending > one.sending > 0
    assert not list(tmp_path.iterdir()), "a cold run leaves no cases to the next"


def test_warm_run_that_has_no_cases_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no cases were kept"):
        running.run("flowback", "warm", 1, tmp_path)


def test_times_stock_is_taken_round_by_round() -> None:
    stocks = [RUN, replace(RUN, seconds=20.0)]
    ours = [replace(RUN, side="warm", seconds=seconds) for seconds in (1.0, 1.0)]
    assert table.ratios([*stocks, *ours], "shop", "warm") == [10.0, 20.0]


def test_table_has_a_row_for_each_side_with_median_and_spread(tmp_path: Path) -> None:
    runs = [RUN, replace(RUN, side="cold", seconds=2.0), RUN, replace(RUN, side="cold", seconds=1.0)]
    path = table.write(tmp_path, runs)
    rows = [line for line in path.read_text().splitlines() if line.startswith("| shop")]
    assert len(rows) == 2
    assert "| 5 | 1.0 | 8.00 | 1.0 |" in rows[0]
    assert "1.50 (1.00 to 2.00)" in rows[1]
    assert "7.5 (5.0 to 10.0)" in rows[1]
    assert len(json.loads((tmp_path / "bench-contract.json").read_text())) == 4


@pytest.mark.parametrize("door", [lambda: bench.main([]), lambda: prove.main(["--against", "schemathesis"])])
def test_missing_schemathesis_is_one_line_that_says_what_to_do(
    door: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stock.shutil, "which", lambda *_, **__: None)
    assert door() == 2
    said = capsys.readouterr().err
    assert "install it" in said
    assert said.count("\n") == 1


def test_stock_gets_the_server_that_needs_no_headers_and_our_credentials() -> None:
    line = stock.command(contract("getflow"), "http://127.0.0.1:1/getflow", load("getflow").KNOWN, 7)
    assert line[line.index("--url") + 1] == "http://127.0.0.1:1/getflow/v2"
    assert line[line.index("-H") + 1] == f"Authorization: Bearer {load('getflow').KNOWN['TOKEN']}"
    assert line[line.index("--seed") + 1] == "7"


def test_contract_that_stock_cannot_speak_to_is_told() -> None:
    whole = from_document("shop", {"paths": {}, "servers": [{"url": "/", "x-headers": {"Accept": "a/b"}}]})
    with pytest.raises(LookupError, match="shop"):
        stock.server_of(whole)


def report(failures: list[stock.Failure]) -> str:
    found = [{"type": kind, "operations": [operation]} for kind, operation in failures]
    return json.dumps({"failures": found, "test_cases": {"generated": 9}})


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Schemathesis that tells of one failure always, and of another one where a list is no JSON."""
    script = """
import sys, urllib.request
url, key, path, honest, faulty = sys.argv[1:]
asked = urllib.request.Request(url + "/users", headers={"Authorization": key})
plain = "text/plain" in urllib.request.urlopen(asked).headers["content-type"]
open(path, "w").write(faulty if plain else honest)
sys.exit(1)
"""

    def command(whole: Contract, url: str, settings: Mapping[str, str], seed: int, *more: str) -> list[str]:
        del whole, seed
        told = (report([STATUS]), report([STATUS, SCHEMA]))
        return [sys.executable, "-c", script, url, settings["TOKEN"], more[-1], *told]

    monkeypatch.setattr(stock, "command", command)


@pytest.mark.usefixtures("pretended")
def test_only_what_the_honest_reference_lacks_is_a_kill() -> None:
    faults = load("flowback").FAULTS
    seen, unseen = faults["lists_as_plain_text"], faults["drops_the_username_of_a_row"]
    told = {one.name: one for one in against.compare([("flowback", seen), ("flowback", unseen)], 1, lambda _: None)}
    assert told[HONEST].failures == {STATUS}
    assert (told[seen.name].new, beside.verdict(told[seen.name])) == ({SCHEMA}, "killed")
    assert (told[unseen.name].new, beside.verdict(told[unseen.name])) == (set(), "missed")


def told(name: str, kind: str, *failures: stock.Failure) -> Told:
    new = frozenset(failures) - {STATUS}
    return Told("shop", name, kind, frozenset(failures), 10, 2.0, frozenset() if kind == HONEST else new)


def ours(name: str, kind: str, *complaints: Complaint) -> Result:
    return Result("shop", name, kind, ("SHOP-1",), "", complaints, 3, 1.0)


def test_both_columns_stand_beside_each_other() -> None:
    runs = [
        told(HONEST, HONEST, STATUS),
        told("a", "fault", STATUS, SCHEMA),
        told("b", "fault", STATUS),
        told("c", "variant", SCHEMA),
    ]
    rightful = Complaint("suites/shop/test_goods.py::test_limit", ("SHOP-1",), "")
    results = (ours("a", "fault", rightful), ours("b", "fault", rightful), ours("c", "variant"))
    rows = beside.markdown(beside.comparison(runs, proof(*results), MADE, "a sample")).splitlines()
    assert "| shop | ours | 2 of 2 | 0 of 1 | 0 | 9 | 3 |" in rows
    assert "| shop | Schemathesis | 1 of 2 | 1 of 1 | 1 | 30 | 6 |" in rows
    assert "| fault | `shop.b` | caught | missed |  |" in rows


def test_default_sample_is_forty_faults_and_twelve_variants() -> None:
    everything = [
        (api, one)
        for api in ("flowback", "bitvis")
        for kind in ("FAULTS", "VARIANTS")
        for one in getattr(load(api), kind).values()
    ]
    kinds = [change.kind for _, change in against.chosen(everything)]
    assert (kinds.count("fault"), kinds.count("variant")) == (against.FAULTS, against.VARIANTS)
