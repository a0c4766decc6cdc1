"""Two load runs are compared in all that matters: a run that refuses its work quickly is no better run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from reports.__main__ import main
from reports.icons import ICONS
from suites.selftest.reports.load_sample import FIT, line, tally, write

CAPTURE = pytest.CaptureFixture[str]


def run_folder(
    folder: Path,
    seed: int,
    factor: float = 1.0,
    good: int = 30,
    failures: Mapping[str, int] | None = None,
    others: Mapping[str, int] | None = None,
    health: Mapping[str, Any] = FIT,
    **plan: Any,
) -> Path:
    """A run of 60 s; `others` are more operations, with their requests a second."""
    chance = Random(seed)
    lines = []
    for at in range(60):
        times = [factor * chance.lognormvariate(3, 0.3) for _ in range(good)]
        more = [tally(name, [5.0] * number) for name, number in (others or {}).items()]
        lines.append(line(at, [tally("GET /tasks", times, failures), *more], health=health))
    return write(folder, lines, **plan)


def compared(folder: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The exit code, and the comparison as JSON."""
    a, b = run_folder(folder / "a", 1, **before), run_folder(folder / "b", 2, **after)
    code = main(["compare", str(a), str(b), "--json", str(folder / "out.json"), "--markdown", str(folder / "out.md")])
    facts: dict[str, Any] = json.loads((folder / "out.json").read_text())
    assert facts["exit_code"] == code
    return code, facts


def outcome(facts: Mapping[str, Any], metric: str) -> str:
    return str(next(row["verdict"] for row in facts["outcomes"] if row["metric"] == metric))


def test_faster_run_that_fails_60_percent_is_worse(tmp_path: Path) -> None:
    code, facts = compared(tmp_path, {}, {"factor": 0.2, "good": 12, "failures": {"status 500": 18}})
    assert (code, facts["verdict"], outcome(facts, "errors")) == (1, "fail", "worse")
    errors = next(row for row in facts["outcomes"] if row["metric"] == "errors")
    assert (errors["operation"], errors["before"], errors["after"]) == ("all operations", 0.0, 0.6)
    assert errors["change"] == pytest.approx(0.6)


def test_fewer_good_responses_are_worse(tmp_path: Path) -> None:
    code, facts = compared(tmp_path, {}, {"good": 20})
    assert (code, outcome(facts, "throughput")) == (1, "worse")


@pytest.mark.parametrize(("seconds", "verdict"), [(62, "worse"), (11, "too few responses")])
def test_throughput_needs_ten_responses_a_batch_in_one_run(tmp_path: Path, seconds: int, verdict: str) -> None:
    """A has a good response of the operation in each of so many seconds, B none."""

    def lines(number: int) -> list[dict[str, Any]]:
        rare = [tally("GET /rare", [5.0] if at < number else [], {"status 500": 1}) for at in range(62)]
        return [line(at, [tally("GET /tasks", [5.0] * 30), rare[at]]) for at in range(62)]

    a, b = write(tmp_path / "a", lines(seconds)), write(tmp_path / "b", lines(0))
    main(["compare", str(a), str(b), "--json", str(tmp_path / "out.json")])
    rows = json.loads((tmp_path / "out.json").read_text())["outcomes"]
    (row,) = [row for row in rows if row["operation"].startswith("GET /rare") and row["metric"] == "throughput"]
    assert row["verdict"] == verdict


def test_violations_are_compared_apart_from_errors(tmp_path: Path) -> None:
    before, after = {"status 500": 3}, {"GETFLOW-ERR-1": 3}
    code, facts = compared(tmp_path, {"failures": before}, {"failures": after})
    assert (code, outcome(facts, "errors"), outcome(facts, "violations")) == (1, "not distinguishable", "worse")


def test_equal_runs_pass(tmp_path: Path) -> None:
    plan = {"users": 5, "failures": {"status 500": 1}}
    assert compared(tmp_path, plan, plan)[0] == 0


@pytest.mark.parametrize(
    ("key", "before", "after", "text"),
    [
        ("users", 10, 20, "not the same users: A 10, B 20"),
        ("profile", "load", "stress", "not the same profile: A load, B stress"),
        ("planned", 60.0, 61.0, "not the same run time: A 60.0, B 61.0"),
        (
            "targets",
            {"getflow": "http://a.example"},
            {"getflow": "http://b.example"},
            'not the same target: A {"getflow": "http://a.example"}, B {"getflow": "http://b.example"}',
        ),
        (
            "machine",
            {"cores": 2},
            {"cores": 8},
            'not the same machine of the load generator: A {"cores": 2}, B {"cores": 8}',
        ),
        ("judge", "all", "status", "not the same validation: A all, B status"),
        (
            "arrivals",
            {"User": {"points": [[0, 5]]}},
            {},
            'not the same arrivals: A {"User": {"points": [[0, 5]]}}, B {}',
        ),
        ("machine", {"cores": 2}, None, 'not the same machine of the load generator: A {"cores": 2}, B unknown'),
    ],
)
def test_runs_of_different_plans_cannot_be_compared(
    tmp_path: Path, capsys: CAPTURE, key: str, before: Any, after: Any, text: str
) -> None:
    code, facts = compared(tmp_path, {key: before}, {key: after, "factor": 3.0})
    assert (code, facts["differences"]) == (3, [text])
    assert text in capsys.readouterr().out


@pytest.mark.parametrize(("number", "code"), [(1, 3), (0, 0)])
def test_operation_that_only_one_run_has_is_named(tmp_path: Path, number: int, code: int) -> None:
    others = {"GET /old": number} if number else {}
    missing = [f"only in A: GET /old over http, {60 * number} times; B never had it"] if number else []
    came, facts = compared(tmp_path, {"others": others}, {"good": 30 + number})
    assert (came, facts["differences"]) == (code, missing)


def test_operation_that_came_by_chance_is_not_missed(tmp_path: Path) -> None:
    lines = [line(at, [tally("GET /tasks", [5.0 + at % 3] * 30)]) for at in range(60)]
    write(tmp_path / "plain", lines)
    rare = [tally("GET /rare", [5.0]).to_json()]
    with_rare = [
        entry | {"operations": entry["operations"] + (rare if at % 7 == 0 else [])} for at, entry in enumerate(lines)
    ]
    write(tmp_path / "rare", with_rare)
    assert main(["compare", str(tmp_path / "rare"), str(tmp_path / "plain")]) == 0


def test_slower_run_of_an_unfit_generator_blames_nobody(tmp_path: Path) -> None:
    late = FIT | {"reasons": ["journeys started late"]}
    code, facts = compared(tmp_path, {}, {"factor": 3.0, "health": late})
    assert (code, facts["verdict"], facts["times"][0]["verdict"]) == (3, "inconclusive", "worse")


def test_failing_run_of_an_unfit_generator_is_worse(tmp_path: Path) -> None:
    late = FIT | {"reasons": ["journeys started late"]}
    assert compared(tmp_path, {}, {"failures": {"status 500": 10}, "health": late})[0] == 1


def test_markdown_has_the_verdict_and_both_tables(tmp_path: Path) -> None:
    compared(tmp_path, {"users": 1}, {"users": 2, "failures": {"status 500": 30}})
    text = (tmp_path / "out.md").read_text()
    assert text.startswith(f"# compare: {ICONS['inconclusive']} inconclusive\n")
    assert "- not the same users: A 1, B 2" in text
    assert "| all operations | errors | 0 % | 50 % | +50.0 points |" in text
    assert "| operation | percentile | A ms | B ms |" in text


def test_file_that_cannot_be_written_is_misuse(tmp_path: Path, capsys: CAPTURE) -> None:
    for seed, name in enumerate("ab"):
        run_folder(tmp_path / name, seed)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json", str(tmp_path / "no" / "x.json")]) == 2
    assert "--json: cannot write" in capsys.readouterr().err
