"""Tests of the matrix of misbehaving servers: what it objects to, and a run of it with real processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixtures.misbehaviour.ways import WAYS
from suites.harden import misbehaviour_matrix
from suites.harden.__main__ import main
from suites.harden.measured_process import MeasuredProcess, run_measured


def process(code: int = 0, seconds: float = 1.0, rss: float = 90.0, output: str = "") -> MeasuredProcess:
    return MeasuredProcess(code, seconds, rss, output)


@pytest.mark.parametrize(
    ("measured", "expected", "problem"),
    [
        (process(), "pass", None),
        (process(1), "fail", None),
        (process(4, output="unreachable: http://…"), "unreachable", None),
        (process(0), "fail", "expected fail"),
        (process(-9), "fail", "expected fail"),
        (process(seconds=61), "pass", "expected an end within 60 s"),
        (process(rss=391), "pass", "expected less than 390 MiB"),
        (process(output="Traceback (most recent call last):"), "pass", "expected no traceback"),
        (process(4), "unreachable", "expected a message that says why"),
    ],
)
def test_problem_of_a_run(measured: MeasuredProcess, expected: str, problem: str | None) -> None:
    problems = list(misbehaviour_matrix._problems(measured, expected, 90.0))
    assert problems == ([problem] if problem else [])


def test_process_is_measured(tmp_path: Path) -> None:
    code = "x = bytearray(200 << 20); x[::4096] = b'a' * len(x[::4096]); print('done'); raise SystemExit(7)"
    measured = run_measured(["-c", code], dict(os.environ), tmp_path / "out.txt", 60)
    assert (measured.code, measured.output) == (7, "done\n")
    assert 200 < measured.rss < 260


def test_process_that_hangs_is_killed(tmp_path: Path) -> None:
    hanging = ["-c", "import threading; threading.Event().wait()"]
    assert run_measured(hanging, dict(os.environ), tmp_path / "out.txt", 1).code == -9


def test_unknown_way_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["misbehaviour", "--only", "no such way"])
    assert ended.value.code == 2
    assert "--only: expected a part of a case's name, got 'no such way'" in capsys.readouterr().err


def test_server_of_a_way_ends_with_its_block(tmp_path: Path) -> None:
    with misbehaviour_matrix.bad_server(WAYS["honest"], tmp_path / "ca.pem") as url:
        assert url.startswith("http://127.0.0.1:")
