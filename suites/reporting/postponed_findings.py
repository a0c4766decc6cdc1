"""Keeps findings about what no document says until the test is over, so that what the test is about is tried first.

Rule: a finding that is a warning never ends a test before its promise is tested, and is never lost: it is reported when
the test has ended well, has been skipped, or could not read the response. A test that fails reports its failure alone.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import pytest

from contracts.judge.http_judge import Finding
from fixtures.target_api import Api
from suites.reporting import pytest_plugin
from suites.reporting.failures import is_warning, raise_findings
from suites.reporting.outcomes import ending_of
from suites.reporting.result_recorder import NOT_JUDGED


def raise_or_postpone(findings: Sequence[Finding], api: Api) -> None:
    """Raises ContractViolation for these findings, unless all of them are warnings, which wait for the test's end.

    Where no response came, there is nothing to go on with.
    """
    __tracebackhide__ = True
    came = not any(finding.exchange.response.error for finding in findings)
    if came and is_warning(finding.clause for finding in findings):
        api.postponed += findings
    else:
        raise_findings([(finding, None) for finding in findings], api)


@pytest.hookimpl(wrapper=True, trylast=True)  # within the wrapper that turns exceptions into outcomes
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Reports what was kept, unless the test has failed, or its target is out of reach."""
    try:
        result = yield
    except BaseException as error:
        if ending_of(error).outcome in (*NOT_JUDGED, "broken"):
            _raise_postponed(item, error)
        raise
    _raise_postponed(item)
    return result


def _raise_postponed(item: pytest.Item, cause: BaseException | None = None) -> None:
    """Raises ContractViolation for the findings that were kept, from what has ended the test."""
    if api := pytest_plugin.api_under_test(item):
        try:
            raise_findings([(finding, None) for finding in api.postponed], api)
        except AssertionError as violation:
            raise violation from cause
