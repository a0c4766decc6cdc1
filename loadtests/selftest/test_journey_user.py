"""Journey users behave as Locust documents for its users; each run checks several of its statements."""

from __future__ import annotations

import cmath
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.engine.recorder import UNANSWERED
from loadtests.selftest.faulty_target import FaultyTarget, running_target
from loadtests.selftest.locust_run import LocustRun, finished_run, printed_requests, total_count
from loadtests.user.journey_user import journey
from reports.load.histogram import Histogram

pytestmark = pytest.mark.xdist_group("load-users")  # one run serves several tests

HEAD = """
from locust import HttpUser, LoadTestShape, between, constant, constant_throughput, events, tag, task
from locust.exception import StopUser
from loadtests.profiles.arrival_scheduler import open_model
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()
"""

MIXED = """
class Base(JourneyUser):
    abstract = True
    wait_time = constant(0.01)

    @journey
    def overridden(self):
        yield self.request("GET", "/base")

class Reader(Base):
    weight = 3

    def on_start(self):
        response = yield self.request("GET", "/login?user=1")
        assert response.status == 200

    def on_stop(self):
        yield self.request("GET", "/logout")

    @journey
    def overridden(self):
        yield self.request("GET", "/override")

    @journey(weight=9)
    def often(self):
        yield self.request("GET", "/often")
        yield [self.request("GET", "/pair", name="pair"), self.request("GET", "/pair", name="pair")]

    @tag("rare")
    @journey
    def excluded(self):
        yield self.request("GET", "/excluded")

class Failing(JourneyUser):
    wait_time = constant(0.05)

    @journey(tags=("bad",))
    def fail(self):
        response = yield self.request("POST", "/fail", body=b"{}")
        assert response.error is not None

class Stock(HttpUser):
    wait_time = constant(0.05)

    @task
    def stock(self):
        self.client.get("/stock")
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocustRun, FaultyTarget]]:
    with running_target() as target:
        folder = tmp_path_factory.mktemp("mixed")
        options = f"--headless -u 10 -r 10 -t 3s --exclude-tags rare --csv {folder}/s"
        yield finished_run(folder, target.url, HEAD + MIXED, options), target


def test_weights_of_classes_are_kept(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    assert mixed[1].counts()["/login"] == 6  # of 10 users, by weights 3 : 1 : 1


def test_on_start_and_on_stop_run_once_for_each_user(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    counts = mixed[1].counts()
    assert counts["/login"] == counts["/logout"]


def test_on_start_comes_first_and_on_stop_last(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    readers = [hit.path for hit in mixed[1].hits if hit.path.startswith(("/often", "/log"))]
    assert (readers[0], readers[-1]) == ("/login?user=1", "/logout")


def test_weights_of_journeys_are_kept(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    counts = mixed[1].counts()
    assert 5 < counts["/often"] / counts["/override"] < 16


def test_an_overridden_journey_replaces_the_inherited_one(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    counts = mixed[1].counts()
    assert (counts["/override"] > 0, counts["/base"]) == (True, 0)


def test_journeys_with_excluded_tags_do_not_run(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    assert mixed[1].counts()["/excluded"] == 0


def test_ordinary_locust_users_run_beside_them(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    assert mixed[1].counts()["/stock"] > 10


def test_every_request_is_counted_by_the_server_too(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    """Except for requests in flight when the users were stopped: at most two for each user."""
    run, target = mixed
    counts, requests = target.counts(), run.requests()
    for operation, path in {"GET /often": "/often", "pair": "/pair", "GET /override": "/override"}.items():
        assert counts[path] - 12 <= requests[operation] <= counts[path]


def test_what_is_requested_together_is_in_flight_together(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    counts = mixed[1].counts()
    assert abs(counts["/pair"] - 2 * counts["/often"]) <= 12


def test_failures_are_counted_with_their_reason(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    run, target = mixed
    (failing,) = (operation for operation in run.result["operations"] if operation["operation"] == "POST /fail")
    assert set(failing["failures"]) == {"status 500"}
    assert target.counts()["/fail"] - 2 <= failing["summary"]["failures"] <= target.counts()["/fail"]


def test_failures_give_locusts_exit_code(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    assert mixed[0].process.returncode == 1


def test_locusts_own_summary_counts_the_same(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    run, target = mixed
    stock = printed_requests(run.output) - sum(run.requests().values())
    assert target.counts()["/stock"] - 2 <= stock <= target.counts()["/stock"]


def test_locusts_csv_has_the_operations(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    run, _ = mixed
    text = (run.results.parent / "s_stats.csv").read_text()
    assert "http,GET /often," in text


def test_the_lines_of_all_seconds_add_up_to_the_result(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    run, _ = mixed
    lines = run.lines()
    total = sum(operation["corrected"]["count"] for operation in run.result["operations"] if "corrected" in operation)
    assert (total_count(lines), [line.get("last", False) for line in lines].count(True)) == (total, 1)
    assert len(lines) >= 2


def test_the_run_lasts_what_was_planned(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    result = mixed[0].result
    assert result["planned"] == 3
    assert 2.9 < result["seconds"] < 20


def test_the_table_is_printed_last(mixed: tuple[LocustRun, FaultyTarget]) -> None:
    output = mixed[0].output
    assert output.index("Response time percentiles") < output.index("corrected (ms)") < output.index("generator: ")


PACED = """
class Paced(JourneyUser):
    wait_time = constant_throughput(2)

    @journey
    def beat(self):
        yield self.request("GET", f"/beat?user={id(self)}", name="beat")
"""


def phase(times: list[float], beat: float) -> float:
    """Phase of these times within the period, 0 to 1: their circular mean, which one late time hardly moves."""
    return cmath.phase(sum(cmath.exp(2j * cmath.pi * at / beat) for at in times)) / (2 * cmath.pi) % 1.0


@pytest.mark.slow
def test_paced_users_of_a_batch_are_spread_evenly_and_keep_their_pace(tmp_path: Path) -> None:
    """Stock Locust sends the requests of all 40 users at the same instant, twice a second, to the end."""
    with running_target() as target:
        finished_run(tmp_path, target.url, HEAD + PACED, "--headless -u 40 -r 40 -t 4s --only-summary")
    beats: dict[str, list[float]] = defaultdict(list)
    for hit in target.hits:
        beats[hit.path].append(hit.at)
    assert len(beats) == 40
    phases = Counter(int(10 * phase(times, 0.5)) for times in beats.values())
    assert max(phases.values()) <= 12, "tenths of a beat in which users come: 4 each would be even"
    paces = sorted((times[-1] - times[0]) / (len(times) - 1) for times in beats.values())
    assert 0.45 < paces[len(paces) // 2] < 0.55


OPEN = """
class Visitor(JourneyUser):
    arrivals = open_model(100, kind="even")

    @journey
    def visit(self):
        yield self.request("GET", "/visit")
"""


def test_a_frozen_server_delays_all_who_arrive_meanwhile(tmp_path: Path) -> None:
    """At 100 journeys a second, a server that is frozen for 0.8 s keeps at least 70 of them waiting for over 0.1 s."""
    with running_target() as target:
        target.freeze_at, target.freeze_for = 150, 0.8
        run = finished_run(tmp_path, target.url, HEAD + OPEN, "--headless -u 400 -r 400 -t 4s --only-summary")
    (visit,) = run.result["operations"]
    corrected = Histogram.from_json(visit["corrected"])
    waited = corrected.count - corrected.count_up_to(100_000_000)
    assert waited >= 60
    assert 700_000_000 < corrected.max < 10_000_000_000
    assert run.result["arrivals"]["Visitor"]["dropped"] == 0


HANGING = """
class Patient(JourneyUser):
    @journey
    def wait_in_vain(self):
        yield self.request("GET", "/visit")
        yield self.request("GET", "/hang")
"""


@pytest.mark.slow
def test_requests_that_hang_when_the_run_ends_are_failures(tmp_path: Path) -> None:
    with running_target() as target:
        run = finished_run(tmp_path, target.url, HEAD + HANGING, "--headless -u 5 -r 5 -t 3s --only-summary")
    failures = {operation["operation"]: operation.get("failures", {}) for operation in run.result["operations"]}
    assert failures == {"GET /visit": {}, "GET /hang": {UNANSWERED: 5}}
    assert run.process.returncode == 1


def test_arrivals_that_find_no_idle_user_are_counted_and_shown(tmp_path: Path) -> None:
    text = HEAD + OPEN.replace("/visit", "/slow")
    with running_target() as target:
        run = finished_run(tmp_path, target.url, text, "--headless -u 2 -r 2 -t 3s --only-summary")
    counted = run.result["arrivals"]["Visitor"]
    assert counted["dropped"] > 100
    assert (
        abs(counted["started"] + counted["dropped"] - counted["planned"]) <= 100
    )  # the last iteration came up to a second late
    assert "Visitor arrivals dropped" in run.output
    assert any("arrivals found all users busy" in reason for reason in run.result["reasons"])
    assert (run.process.returncode, run.result["healthy"]) == (1, False)


def test_a_rate_opens_any_class(tmp_path: Path) -> None:
    text = (
        HEAD
        + OPEN.replace('arrivals = open_model(100, kind="even")', "weight = 1")
        + """
class Other(JourneyUser):
    weight = 3

    @journey
    def visit(self):
        yield self.request("GET", "/other")
"""
    )
    with running_target() as target:
        run = finished_run(
            tmp_path, target.url, text, "--headless -u 40 -r 40 -t 3s --only-summary --rate 80 --arrivals even"
        )
    arrivals = run.result["arrivals"]
    for name, rate in {"Visitor": 20, "Other": 60}.items():
        assert 0 < arrivals[name]["planned"] <= rate * run.result["seconds"]
        assert 0 < arrivals[name]["started"] <= arrivals[name]["planned"] + 1
    assert arrivals["Other"]["planned"] == pytest.approx(3 * arrivals["Visitor"]["planned"], rel=0.3)


STOPPING = """
class Slow(JourneyUser):
    @journey
    def long(self):
        yield self.request("GET", "/begin")
        yield 4.0
        yield self.request("GET", "/end")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("grace", "ended_well"), [(10, True), (0, False)])
def test_stop_timeout_lets_journeys_end(tmp_path: Path, grace: int, ended_well: bool) -> None:
    with running_target() as target:
        options = f"--headless -u 3 -r 3 -t 3s --only-summary --stop-timeout {grace}"
        run = finished_run(tmp_path, target.url, HEAD + STOPPING, options)
    counts = target.counts()
    assert (counts["/begin"], counts["/end"]) == (3, 3 if ended_well else 0)
    assert run.requests().get("GET /end", 0) == counts["/end"]


USER = """
class User(JourneyUser):
    wait_time = constant(0.1)

    @journey
    def visit(self):
        yield self.request("GET", f"/visit?user={id(self)}", name="visit")
"""
SHAPE = """
class Steps(LoadTestShape):
    def tick(self):
        seconds = self.get_run_time()
        return (2, 10) if seconds < 3 else (6, 10) if seconds < 6 else None
"""


@pytest.mark.slow
def test_a_load_shape_sets_the_users_and_ends_the_run(tmp_path: Path) -> None:
    with running_target() as target:
        run = finished_run(tmp_path, target.url, HEAD + USER + SHAPE, "--headless --only-summary")
    assert (len({hit.path for hit in target.hits}), run.process.returncode) == (6, 0)
    assert {line["users"] for line in run.lines() if "users" in line} >= {2, 6}
    assert run.result["planned"] is None


LISTENED = """
seen = []

@events.request.add_listener
def listen(request_type, name, response_time, response_length, exception, **_):
    seen.append((request_type, name, response_length, exception))

@events.quit.add_listener
def tell(**_):
    print("SEEN", len(seen), set(seen))

class User(JourneyUser):
    wait_time = constant(0.05)

    @journey
    def visit(self):
        yield self.request("GET", "/visit")
"""


def test_a_request_listener_gets_each_request(tmp_path: Path) -> None:
    with running_target() as target:
        run = finished_run(tmp_path, target.url, HEAD + LISTENED, "--headless -u 5 -r 5 -t 2s")
    number = run.requests()["GET /visit"]
    assert f"SEEN {number} {{('http', 'GET /visit', 36, None)}}" in run.output
    assert printed_requests(run.output) == number


RAISING = """
class User(JourneyUser):
    wait_time = constant(0.1)

    @journey
    def broken(self):
        yield self.request("GET", "/before")
        raise LookupError("the page has no title")

class Leaving(JourneyUser):
    @journey
    def leave(self):
        yield self.request("GET", "/leave")
        raise StopUser
"""


def test_an_exception_of_a_journey_is_reported_and_the_user_goes_on(tmp_path: Path) -> None:
    with running_target() as target:
        run = finished_run(tmp_path, target.url, HEAD + RAISING, "--headless -u 2 -r 2 -t 2s --only-summary")
    counts = target.counts()
    assert (counts["/before"] > 1, counts["/leave"], run.process.returncode) == (True, 1, 1)
    assert "LookupError: the page has no title" in run.output


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        ("--rate fast", 2, "'fast' is no rate"),
        ("--rate 10 --arrivals often", 2, "invalid choice"),
        ("--host nowhere", 1, "needs a host: pass --host"),
        ("--tags unknown", 1, "User has no journeys"),
    ],
    ids=["rate", "arrivals", "host", "tags"],
)
def test_a_usage_error_is_one_sentence(tmp_path: Path, options: str, code: int, sentence: str) -> None:
    run = finished_run(tmp_path, "http://127.0.0.1:9", HEAD + USER, f"--headless -u 2 -t 5s {options}")
    assert (run.process.returncode, sentence in run.output, "Traceback" in run.output) == (code, True, False)


def test_a_journey_that_does_not_yield_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="must be a generator"):

        @journey
        def visit(self: object) -> None:
            """Looks like a Locust task."""
