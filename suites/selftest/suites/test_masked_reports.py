"""What is written for Allure: every text that a test can end with, also one that is half a character."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import allure_pytest.plugin
import pytest
from allure_commons import model2

from suites.reporting import masked_reports

HALF = "half a \ud800 character"


@pytest.fixture
def logger(tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What writes the results of a run, into a folder of the test."""
    monkeypatch.setattr(allure_pytest.plugin, "AllureFileLogger", allure_pytest.plugin.AllureFileLogger)
    monkeypatch.setattr(pytestconfig.pluginmanager, "get_plugin", lambda _name: None)
    monkeypatch.setitem(pytestconfig.stash, masked_reports.SECRETS, ())
    masked_reports.configure(pytestconfig)
    return allure_pytest.plugin.AllureFileLogger(str(tmp_path))


def test_half_a_character_is_written_as_json_escapes_it(logger: Any, tmp_path: Path) -> None:
    logger.report_result(model2.TestResult(name=HALF))
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text("utf-8"))["name"] == HALF


@pytest.mark.parametrize(("body", "written"), [(HALF, b"half a \\ud800 character"), (b"\xff\x00", b"\xff\x00")])
def test_attachment_keeps_its_bytes_and_half_a_character_its_name(
    logger: Any, tmp_path: Path, body: str | bytes, written: bytes
) -> None:
    logger.report_attached_data(body, "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == written
