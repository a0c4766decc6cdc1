"""Two APIs with the same method and path in one run: nothing of one counts, or is judged, as if it were the other's."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from locust.stats import RequestStats

from contracts.errors import UsageError
from contracts.openapi import Contract, from_document
from loadtests.distributed.locust_stats import add_statistics
from loadtests.distributed.run_results import Run, RunFolder
from loadtests.engine.exchange_types import Address, Request, Response
from loadtests.engine.recorder import Recorder
from loadtests.request_factory.request_preparation import operation_label
from loadtests.user import discovery
from loadtests.user.contract_user import ContractUser
from loadtests.validation.http_validator import RequestIntent
from loadtests.validation.invariants import UniquenessLedger
from loadtests.validation.validators import Validators
from reports.load import load_run
from reports.load.load_run import LoadRun, read_load_run
from reports.load.load_verdict import judge_run
from reports.load.run_comparison import compare_runs
from reports.load.slo import Objective, ObjectivesFile, Scope
from reports.load.timeline import timeline

MS = 1_000_000
SECONDS = 20
RESPONSES = 20  # of each operation in each second
TIMES = {"first": 10 * MS, "second": 200 * MS}  # ns of a response, by API
RUN_ERRORS = Objective(Scope("run"), "errors", 0.9, 1)


def contract(api: str, status: str) -> Contract:
    """An API whose only operation is POST /tasks, answered with that status."""
    operation = {"operationId": "createTask", "x-clauses": [f"{api.upper()}-TASK-1"], "responses": {status: {}}}
    return from_document(api, {"openapi": "3.1.0", "paths": {"/tasks": {"post": operation}}})


CONTRACTS = {"first": contract("first", "201"), "second": contract("second", "200")}


def intent(api: str) -> RequestIntent:
    return RequestIntent(CONTRACTS[api], next(iter(CONTRACTS[api].operations.values())))


def response(status: int) -> Response:
    return Response(status, [], b"", None, 0, 0, MS, MS)


def exchange(recorder: Recorder, api: str) -> Request:
    samples = recorder.samples_of(*operation_label(intent(api).operation))
    return Request(samples, b"POST /tasks HTTP/1.1\r\nHost: a\r\n\r\n", Address.from_url("http://127.0.0.1:9"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadRun:
    """A run of both APIs: the first responds well, the second slowly, and with a violation in each second."""
    monkeypatch.setattr(load_run, "operation_names", lambda api: [operation.label for operation in operations(api)])
    running = Run("run", RunFolder(tmp_path / "run"), None, 1, {"apis": ["first", "second"]})
    began = running.result.started
    for second in range(SECONDS):
        recorder = Recorder()
        for api, duration in TIMES.items():
            samples = exchange(recorder, api).samples
            samples.times += [(0, 0, duration, duration, 10)] * RESPONSES
            samples.connects.append(MS)
        samples.record_failure("SECOND-TASK-1", 0, 0, MS)
        figures = [statistics.to_json() for statistics in recorder.take()]
        span = {"second": int(began) + second, "from": began + second, "to": began + second + 1}
        health = {"cpu_busiest": 0.1, "late_p99_ms": 0.1, "reasons": []}
        line = {"run": "run", "worker": "local", "users": 1, "operations": figures, "arrivals": {}, "health": health}
        running.add_line({**line, **span, "notes": {}})
    running.stopping()
    running.end([])
    read = read_load_run(tmp_path / "run")
    read.result.seconds = float(SECONDS)
    return read


def operations(api: str) -> list[object]:
    return list(CONTRACTS[api].operations.values())


def test_responses_are_validated_by_the_contract_of_their_own_api() -> None:
    validators, recorder = Validators(), Recorder()
    reasons = {
        (api, status): validators.for_request(intent(api))(exchange(recorder, api), response(status))
        for api in CONTRACTS
        for status in (200, 201)
    }
    assert reasons == {
        ("first", 200): "FIRST-TASK-1",
        ("first", 201): None,
        ("second", 200): None,
        ("second", 201): "SECOND-TASK-1",
    }


def test_findings_name_the_operation_with_its_api() -> None:
    validators, recorder = Validators(), Recorder()
    for api, status in (("first", 200), ("second", 201)):
        validators.for_request(intent(api))(exchange(recorder, api), response(status))
    assert sorted(validators.findings) == [
        ("first POST /tasks", "FIRST-TASK-1"),
        ("second POST /tasks", "SECOND-TASK-1"),
    ]


def test_each_api_has_statistics_of_its_own(run: LoadRun) -> None:
    figures = {statistics.operation: (statistics.requests, statistics.failures) for statistics in run.result.operations}
    assert figures == {
        "first POST /tasks": (SECONDS * RESPONSES, {}),
        "second POST /tasks": (SECONDS * (RESPONSES + 1), {"SECOND-TASK-1": SECONDS}),
    }


def test_each_api_has_an_entry_of_its_own_in_locusts_statistics(run: LoadRun) -> None:
    stats = RequestStats()
    add_statistics(stats, run.result.operations, 1)
    assert sorted(stats.entries) == [("first POST /tasks", "http"), ("second POST /tasks", "http")]


@pytest.mark.parametrize(
    "scope",
    [lambda api: Scope("api", api), lambda api: Scope("operation", api, "POST /tasks")],
    ids=["api", "operation"],
)
def test_an_objective_is_judged_by_the_figures_of_its_own_api(run: LoadRun, scope: type[Scope]) -> None:
    both = [Objective(scope(api), "p95", 100.0 * MS, 2, "corrected", 95.0) for api in TIMES]
    violations = [Objective(scope(api), "violations", 0.0, 3) for api in TIMES]
    judged = judge_run(run, ObjectivesFile(Path("slo.yaml"), (RUN_ERRORS, *both, *violations)))
    assert [outcome.verdict for outcome in judged.outcomes] == ["pass", "pass", "fail", "pass", "fail"]


def test_charts_and_comparisons_keep_the_apis_apart(run: LoadRun) -> None:
    spans = timeline(run, float(SECONDS))
    assert {key[0]: span.times.count for key, (span, *_) in spans.items()} == {
        "": 2 * SECONDS * RESPONSES,
        "first POST /tasks": SECONDS * RESPONSES,
        "second POST /tasks": SECONDS * RESPONSES,
    }
    medians = {row.operation: row.before // MS for row in compare_runs(run, run) if row.percent == 50}
    assert (medians["first POST /tasks over http"], medians["second POST /tasks over http"]) == (10, 200)


def test_unique_values_of_one_kind_are_compared_within_their_api() -> None:
    ledger, master = UniquenessLedger(), UniquenessLedger()
    violations = [ledger.unique_values("id", f"{api.upper()}-TASK-1").add(1) for api in CONTRACTS]
    assert (violations, master.merge_report(ledger.report())) == ([None, None], [])


def test_classes_of_users_with_the_same_name_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = {api: type("Visitor", (ContractUser,), {"api": api, "abstract": True}) for api in ("bitvis", "getflow")}

    def module(name: str) -> ModuleType:
        locustfile = ModuleType(name)
        api = name.rpartition(".")[2]
        if api in classes:
            locustfile.__dict__["Visitor"] = classes[api]
        return locustfile

    monkeypatch.setattr(discovery, "import_module", module)
    with pytest.raises(UsageError, match=r"Visitor: expected .* loadtests/bitvis\.py and loadtests/getflow\.py"):
        discovery.user_classes()
