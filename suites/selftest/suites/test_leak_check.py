"""No secret is in anything that a run prints or writes, and the search would find one."""

from __future__ import annotations

from pathlib import Path

import pytest

import contracts
from fixtures.known_variables import check_environment
from suites.harden import leak_check
from suites.harden.echo_server import FORMS
from suites.harden.leak_check import LeakCheck, canaries

CANARIES = canaries(["getflow"])
SAMPLE = ("-k", "(getflow and (errors or authentication)) or (bitvis and test_http)")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("variable", CANARIES)
def test_a_canary_is_found_in_every_form(variable: str, form: str) -> None:
    result = LeakCheck({variable: CANARIES[variable]})
    result.search("output", f"before {FORMS[form](CANARIES[variable])} behind".encode())
    assert len(result.leaks) == 1


def test_an_output_without_a_canary_is_clean() -> None:
    result = LeakCheck(CANARIES)
    result.search("output", b"Bearer *** and Cn9-Zq/")
    assert (result.leaks, result.sinks, result.masked) == ([], {"output": 22}, {"output"})


def test_runs_without_a_masked_secret_have_shown_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leak_check, "check", lambda *_: LeakCheck(CANARIES))
    assert leak_check.run("getflow", tmp_path) == ["no output has a masked secret: the runs have shown nothing"]


def test_every_canary_is_a_setting_that_its_api_knows() -> None:
    values = canaries(contracts.apis())
    check_environment(contracts.apis(), {name: value for name, value in values.items() if "Kö" not in value})
    assert "BITVIS_PASSWORD" in values
    assert "FLOWAPP_PASSWORD" not in values


@pytest.mark.slow
def test_a_sample_of_runs_against_a_server_that_echoes_secrets_leaks_none(tmp_path: Path) -> None:
    result = leak_check.check(tmp_path, SAMPLE, ["getflow"])
    assert result.leaks == []
    masked = [path for path in tmp_path.rglob("*") if path.is_file() and b"***" in path.read_bytes()]
    assert {path.parent.name for path in masked} >= {"allure-results", "run"}, result.summary()
