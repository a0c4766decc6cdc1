"""The verdicts of trials with faults and with troubles, and what the proof prints for an API without load faults."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from fixtures import reference
from loadtests.proof import __main__ as proof
from loadtests.proof.__main__ import LoadTrial
from loadtests.proof.trouble_runs import TroubleTrial, run_trouble
from loadtests.proof.troubles import TROUBLES, Trouble

HONEST = LoadTrial("todo", "honest", "", (), (), 100, (), 1.0)
FAULT = replace(HONEST, kind="fault", change="loses_updates", clauses=("TODO-REC-1", "TODO-REC-2"))


@pytest.mark.parametrize(
    ("trial", "verdict"),
    [
        (HONEST, "fine"),
        (replace(HONEST, requests=0), "blamed"),
        (replace(HONEST, failures=("status 500",)), "blamed"),
        (replace(HONEST, kind="variant"), "fine"),
        (replace(FAULT, blamed=("TODO-REC-2",)), "caught"),
        (replace(FAULT, blamed=("TODO-REC-3",)), "missed"),
        (FAULT, "missed"),
    ],
)
def test_the_verdict_of_a_trial(trial: LoadTrial, verdict: str) -> None:
    assert trial.verdict == verdict


def test_a_line_names_what_else_was_blamed() -> None:
    line = replace(FAULT, blamed=("TODO-REC-2", "TODO-REC-3"), failures=("TODO-REC-3",)).line()
    assert line.startswith("caught  todo.loses_updates ")
    assert line.endswith(" 1.0 s    100 requests  TODO-REC-1; also TODO-REC-3")


def test_an_api_without_load_faults_has_nothing_to_prove(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proof.contracts, "apis", lambda: ["todo"])
    monkeypatch.setattr(reference, "load", lambda _: SimpleNamespace(LOAD_FAULTS={}, VARIANTS={}))
    monkeypatch.setattr(proof, "run_trial", lambda _api, kind, _change, _most: replace(HONEST, kind=kind))
    monkeypatch.setattr(proof, "user_class", lambda _: SimpleNamespace(generate_corpus=lambda: None))
    monkeypatch.setattr(proof, "TROUBLES", ())
    assert proof.main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "todo has no faults that only load shows: nothing to prove",
        HONEST.line(),
        "0 of 0 load faults caught, 0 of 0 troubles of the load generator blamed on nobody",
        "1 of 1 as expected",
    ]


@pytest.mark.parametrize(("requests", "code"), [(100, 0), (0, 1)])
def test_the_exit_code_says_whether_all_is_as_expected(
    monkeypatch: pytest.MonkeyPatch, requests: int, code: int
) -> None:
    monkeypatch.setattr(proof, "run_trials", lambda *_: iter([replace(HONEST, requests=requests)]))
    assert proof.main(["--api", "getflow"]) == code


def test_an_unknown_fault_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        proof.main(["--api", "getflow", "--only", "no_such_fault"])
    assert "got no_such_fault" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reached", "reason", "verdict"),
    [
        ("inconclusive", "local: the generator stood still", "excused"),
        ("broken", "local: the generator stood still", "excused"),
        ("inconclusive", "local: late", "blamed"),
        ("fail", "local: the generator stood still", "blamed"),
        ("unreachable", "local: the generator stood still", "blamed"),
        ("pass", "local: the generator stood still", "blamed"),
    ],
)
def test_a_trouble_is_excused_when_it_is_named_and_nobody_else_is_blamed(
    reached: str, reason: str, verdict: str
) -> None:
    assert TroubleTrial("is_blocked", "stood still", reached, (reason,), 1.0).verdict == verdict


def test_troubles_count_for_the_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blamed = TroubleTrial("is_blocked", "stood still", "fail", (), 1.0)
    caught = replace(FAULT, blamed=FAULT.clauses)
    monkeypatch.setattr(proof, "run_trials", lambda *_: iter([HONEST, FAULT, caught]))
    monkeypatch.setattr(proof, "run_trouble", lambda _: blamed)
    monkeypatch.setattr(proof, "TROUBLES", TROUBLES[:1])
    assert proof.main([]) == 1
    counts = "1 of 2 load faults caught, 0 of 1 troubles of the load generator blamed on nobody"
    assert capsys.readouterr().out.splitlines()[-3:] == [blamed.line(), counts, "2 of 4 as expected"]


def test_there_are_15_troubles_with_names_of_their_own() -> None:
    assert len({trouble.name for trouble in TROUBLES}) == len(TROUBLES) >= 15


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_no_trouble_of_the_generator_is_blamed_on_the_target(trouble: Trouble) -> None:
    trial = run_trouble(trouble)
    assert trial.verdict == "excused", trial.reasons
