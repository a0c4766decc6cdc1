"""Recorded traffic is played at its times with the ids of the target's own responses, which are judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from loadtests.selftest.locust_run import PATIENCE, clean_environment, distributed_options, server
from loadtests.selftest.shop_server import Shop, running_shop
from loadtests.selftest.test_recorded_traffic import entry, har

pytestmark = pytest.mark.xdist_group("replay")  # one run serves several tests
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SECRET = "Bearer t0k3n-of-the-recording"


class ReplayRun(NamedTuple):
    """A run of loadtests/replay.py: its exit code, what it printed, and its results."""

    code: int
    output: str
    results: Path

    @property
    def operations(self) -> dict[str, tuple[int, dict[str, int]]]:
        """The number of requests of each operation, and its failures."""
        result: dict[str, Any] = json.loads((self.results / "result.json").read_text())
        return {it["operation"]: (it["summary"]["requests"], it.get("failures", {})) for it in result["operations"]}

    @property
    def note(self) -> dict[str, Any]:
        """What was planned, sent and answered, by worker."""
        note: dict[str, Any] = json.loads((self.results / "result.json").read_text())["notes"]["traffic"]
        return note


def replay(folder: Path, file: Path, url: str, options: str = "", **settings: str) -> ReplayRun:
    (folder / "slo.yaml").write_text("run: {errors: 0 %}")
    arguments = ["-f", "loadtests/replay.py", "--headless", "--from", str(file), "--host", url]
    arguments += ["--slo", f"{folder}/slo.yaml", *options.split()]
    environment = clean_environment() | {"LOAD_RESULTS": str(folder / "run"), **settings}
    run = server().run("locust", arguments, environment, PATIENCE)
    return ReplayRun(run.returncode, run.stdout + run.stderr, folder / "run")


def recorded_visit(folder: Path, recorded_at: str, other: str) -> Path:
    """A visit of a shop: a login, an order with the id 900, which is looked at, and a request to another server."""
    return har(
        folder,
        entry(0.0, "POST", f"{recorded_at}/login", 303, headers=FORM, body="name=ada&password=x"),
        entry(0.3, "GET", f"{recorded_at}/home", headers={"Cookie": "customer=old"}),
        entry(0.4, "GET", f"{other}/home", headers={"Authorization": SECRET}),
        entry(0.6, "POST", f"{recorded_at}/orders", 201, {"id": 900, "article": 1}, body='{"article": 1}'),
        entry(0.601, "GET", f"{recorded_at}/orders/900", 200, {"id": 900}, headers={"Authorization": SECRET}),
    )


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ReplayRun, Shop, Shop]]:
    folder = tmp_path_factory.mktemp("visit")
    with running_shop() as shop, running_shop() as other:
        run = replay(folder, recorded_visit(folder, shop.url, other.url), shop.url, LOAD_WRITES="1")
        yield run, shop, other


def test_every_request_is_sent_once_in_the_recorded_order(visit: tuple[ReplayRun, Shop, Shop]) -> None:
    run, shop, _ = visit
    assert shop.targets() == ["POST /login", "GET /home", "POST /orders", "GET /orders/1"], run.output[-3000:]
    assert run.note == {"local": {"planned": 4, "sent": 4, "answered": 4, "left_out": {"to another server": 1}}}


def test_a_later_request_has_the_id_that_the_target_gave(visit: tuple[ReplayRun, Shop, Shop]) -> None:
    assert visit[0].operations["GET /orders/{id}"] == (1, {})


def test_cookies_of_the_target_replace_the_recorded_ones(visit: tuple[ReplayRun, Shop, Shop]) -> None:
    assert [headers.get("cookie") for _, _, headers, _ in visit[1].requests] == [None, *["customer=ada"] * 3]


def test_credentials_reach_the_target_and_nothing_else(visit: tuple[ReplayRun, Shop, Shop]) -> None:
    run, shop, other = visit
    assert [headers.get("authorization") for _, _, headers, _ in shop.requests] == [None, None, None, SECRET]
    assert other.requests == []
    written = [path.read_text(errors="replace") for path in run.results.iterdir() if path.is_file()]
    assert not [text for text in (*written, run.output) if "t0k3n" in text]


def test_a_changed_status_fails_the_run(tmp_path: Path) -> None:
    with running_shop() as shop:
        path = har(tmp_path, entry(0.0, "GET", f"{shop.url}/home", 200), entry(0.1, "GET", f"{shop.url}/articles"))
        run = replay(tmp_path, path, shop.url)
    assert run.code in (1, 3), run.output[-3000:]
    assert run.operations == {"GET /home": (1, {"status 401, recorded 200": 1}), "GET /articles": (1, {})}


@pytest.mark.slow
def test_an_access_log_is_shared_out_among_workers_and_played_faster(tmp_path: Path) -> None:
    line = '192.0.2.{} - - [29/Nov/2026:10:00:{:02} +0000] "GET /articles?n={} HTTP/1.1" 200 9\n'
    (tmp_path / "access.log").write_text("".join(line.format(n % 3, n // 4, n) for n in range(40)))
    with running_shop() as shop:
        run = replay(tmp_path, tmp_path / "access.log", shop.url, f"--speed 5 {distributed_options()}")
    assert sorted(shop.targets()) == sorted(f"GET /articles?n={number}" for number in range(40)), run.output[-3000:]
    assert sorted(note["sent"] for note in run.note.values()) == [13, 27]


@pytest.mark.parametrize(
    ("options", "text", "message"),
    [
        ("", "nonsense", "1 left out: no line of an access log"),
        ("--speed 0", "", "expected a number above 0, such as 0.1, got '0'"),
        ("--host http://192.0.2.1", "", "http://192.0.2.1 is not on loopback, and nobody has permitted a load there"),
    ],
)
def test_what_cannot_be_played_ends_the_run_with_one_line(
    tmp_path: Path, options: str, text: str, message: str
) -> None:
    (tmp_path / "access.log").write_text(text)
    run = replay(tmp_path, tmp_path / "access.log", "http://127.0.0.1:9", options)
    assert (run.code, "Traceback" in run.output) == (2, False)
    assert message in run.output
