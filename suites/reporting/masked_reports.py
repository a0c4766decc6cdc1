"""Masks secrets in all that pytest and its plugins write about a run: console, JUnit, results for Allure.

Rule: findings are masked where their text is made; this masks what pytest itself adds, such as tracebacks, captured
output and the exception's own text, before any other plugin reads it.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from typing import Any

import allure_pytest.plugin  # type: ignore[import-untyped]  # Allure has no types
import pytest
from allure_commons import hookimpl
from allure_commons.logger import INDENT, AllureFileLogger
from allure_commons.model2 import Status

import contracts
from contracts.secret_mask import mask_secrets, mask_value
from fixtures.masked_output import MaskedStream
from fixtures.run_login import mask_tokens_in
from fixtures.secret_settings import run_secrets

ALLURE_MODEL = "allure_commons.model2"  # the module of what Allure writes
SECRETS = pytest.StashKey[Sequence[str]]()


def configure(config: pytest.Config) -> None:
    """Masks the secrets of all APIs in what is written from now on. To be called before Allure is configured."""
    secrets = config.stash[SECRETS] = run_secrets(contracts.apis(), os.environ)
    mask_tokens_in(secrets)
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter._tw._file = MaskedStream(reporter._tw._file, secrets)  # there is no public way to it

    class MaskedFileLogger(AllureFileLogger):
        """Writes results for Allure, masked, and only such containers as a report has a use for."""

        def _report_item(self, item: Any) -> None:
            indent = INDENT if os.environ.get("ALLURE_INDENT_OUTPUT") else None
            text = json.dumps(_masked(item, secrets), indent=indent, ensure_ascii=False)
            path = self._report_dir / item.file_pattern.format(prefix=uuid.uuid4())
            incomplete = path.with_name(f"{path.name}.tmp")
            incomplete.write_text(text, "utf-8", errors="backslashreplace")  # JSON's own escape of half a character
            incomplete.replace(path)

        @hookimpl
        def report_container(self, container: Any) -> None:
            if any(map(_is_worth_showing, [*container.befores, *container.afters])):
                self._report_item(container)

        @hookimpl
        def report_attached_data(self, body: str | bytes, file_name: str) -> None:
            text = body if isinstance(body, str) else body.decode(errors="surrogateescape")
            errors = "backslashreplace" if isinstance(body, str) else "surrogateescape"
            masked = mask_secrets(text, secrets).encode(errors=errors)
            super().report_attached_data(masked, file_name)  # type: ignore[no-untyped-call]

    allure_pytest.plugin.AllureFileLogger = MaskedFileLogger  # it has no option for what writes its files


def _is_worth_showing(fixture: Any) -> bool:
    """Whether a fixture failed or attached something; a reader has no use for others."""
    return bool(fixture.attachments or fixture.steps or fixture.status not in (None, Status.PASSED))


def mask_report(report: pytest.TestReport | pytest.CollectReport, secrets: Sequence[str]) -> None:
    """Masks a report: its traceback, the captured output and the properties."""
    if report.longrepr is not None:
        text = str(report.longrepr)
        masked = mask_secrets(text, secrets)
        if masked != text:
            report.longrepr = (*report.longrepr[:2], masked) if isinstance(report.longrepr, tuple) else masked
    report.sections = [(name, mask_secrets(text, secrets)) for name, text in report.sections]
    if isinstance(report, pytest.TestReport):
        report.user_properties = [(name, _masked(value, secrets)) for name, value in report.user_properties]


def _masked(value: Any, secrets: Sequence[str]) -> Any:
    """The value with every text in it masked: in lists, mappings, and objects of Allure's model.

    Such an object becomes a mapping of its members, without those that are empty, as Allure writes it.
    """
    if isinstance(value, list | tuple):
        return [_masked(item, secrets) for item in value]
    if type(value).__module__ == ALLURE_MODEL:
        members = vars(value).items()
        return {name: _masked(member, secrets) for name, member in members if member or member is False}
    return mask_value(value, secrets)
