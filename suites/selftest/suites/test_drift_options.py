"""Tests of where records are, and of when behaviour tests take part."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import contracts
from fixtures.questions.observing import Plan
from suites.drift import drift_options
from suites.drift.drift_options import OUT, is_asked_for, record_folder
from suites.drift.planned_requests import planned_requests_of_drift


def config(*arguments: str, **options: Any) -> Any:
    """A configuration of pytest with these arguments and options."""
    named = {"markexpr": "", "record": False, "observed": None, **options}
    return SimpleNamespace(args=arguments or ("suites",), option=SimpleNamespace(**named))


@pytest.mark.parametrize(
    ("arguments", "options", "is_asked"),
    [
        (("suites",), {}, False),
        (("suites",), {"record": True}, True),
        (("suites",), {"markexpr": "behaviour"}, True),
        (("suites",), {"markexpr": "not behaviour"}, False),
        (("suites/drift",), {}, True),
        (("suites/drift/test_behaviour.py::test_behaviour[flowback GET /user]",), {}, True),
        (("suites/getflow",), {}, False),
    ],
)
def test_behaviour_tests_are_asked_for(arguments: tuple[str, ...], options: dict[str, Any], is_asked: bool) -> None:
    assert is_asked_for(config(*arguments, **options)) is is_asked


@pytest.mark.parametrize(
    ("observed", "environ", "folder"),
    [
        ("kept", {}, Path("kept/getflow")),
        ("kept", {"GETFLOW_TARGET": "targets/getflow.yaml"}, Path("kept/getflow")),
        (None, {"GETFLOW_TARGET": "targets/getflow.yaml"}, Path("targets/observed/getflow")),
        (None, {"GETFLOW_URL": "https://api.example.com"}, contracts.FOLDER / "getflow" / "observed"),
        (None, {}, OUT / "observed" / "getflow"),
    ],
)
def test_folder_of_a_record(observed: str | None, environ: dict[str, str], folder: Path) -> None:
    assert record_folder(config(observed=observed), "getflow", environ) == folder


def test_a_named_target_without_a_record_takes_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GETFLOW_URL", "https://api.example.com")
    assert not drift_options.takes_part(config(observed=str(tmp_path)), "getflow")


def test_our_reference_takes_part_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GETFLOW_URL", raising=False)
    (tmp_path / "getflow").mkdir()
    (tmp_path / "getflow" / "record.yaml").write_text("")
    assert not drift_options.takes_part(config(observed=str(tmp_path)), "getflow")


@pytest.mark.parametrize("api", ["bitvis", "flowapp", "flowback", "getflow"])
def test_a_reading_plan_sends_fewer_requests_than_a_full_one(api: str) -> None:
    small, full = (planned_requests_of_drift(api, Plan(*it)) for it in (("small", False), ("full", True)))
    assert 0 < small[0] <= small[1] < full[1]
