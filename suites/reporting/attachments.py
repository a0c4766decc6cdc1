"""Attaches exchanges and readings to a test's Allure result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import allure

from contracts import formatting
from contracts.exchange import FRAME, Exchange, as_curl, as_text, frame_endpoint
from contracts.judge.http_judge import is_refusal
from contracts.secret_mask import mask_secrets
from fixtures.target_api import Api
from suites.reporting.failures import ContractViolation

MAX_SHOWN_PASSING = 1  # exchanges of a passing test
MAX_SHOWN_FAILING = 8
TEXT = allure.attachment_type.TEXT


def attach_exchanges(api: Api, error: BaseException | None) -> None:
    """Attaches the exchanges that show a violation, and the last ones of the test, each with a curl line."""
    if api.notes:
        allure.attach("\n".join(api.notes), "noted, which breaks no promise", TEXT)
    shown = list(error.exchanges) if isinstance(error, ContractViolation) else []
    others = [exchange for exchange in api.exchanges if exchange not in shown]
    for exchange in shown[:MAX_SHOWN_FAILING]:
        allure.attach(_page(exchange, api), f"the finding: {_title(exchange, api)}", TEXT)
    for exchange in others[-(MAX_SHOWN_FAILING if error and not shown else MAX_SHOWN_PASSING) :]:
        allure.attach(_page(exchange, api), _title(exchange, api), TEXT)


def attach_case_counts(counts: Sequence[object]) -> None:
    """Attaches how many generated cases of each property could have failed."""
    if counts:
        allure.attach("\n".join(map(str, counts)), "generated cases", TEXT)


def attach_readings(meanings: Mapping[str, str]) -> None:
    """Labels the result with the meanings that were seen."""
    for reading, meaning in meanings.items():
        allure.dynamic.label("reading", f"{reading}: {meaning}")  # type: ignore[no-untyped-call]  # Allure has no types


def attach_changes(changes: Sequence[str]) -> None:
    """Attaches which meanings are others than in the file of an earlier run."""
    allure.attach("\n".join(changes), "a reading has changed", TEXT)


def _title(exchange: Exchange, api: Api) -> str:
    if exchange.request.method == FRAME:
        return _frame_title(exchange, api)
    path = exchange.request.url.removeprefix(api.target.url).split("?")[0]
    return f"{exchange.request.method} {path[:80]} → {exchange.response.status or 'no response'}"


def _frame_title(exchange: Exchange, api: Api) -> str:
    """The title of a call by frame: endpoint, method, and how the call went."""
    response = exchange.response
    outcome = "refused" if is_refusal(api.contract, response) else "answered" if response.body else "no response"
    endpoint = frame_endpoint(exchange.request.url, api.target.url)[:80]
    method = formatting.rpc_method(exchange.request.body)[:40]
    return mask_secrets(f"{endpoint} {method} by frame → {outcome}", api.secrets)


def _page(exchange: Exchange, api: Api) -> str:
    command = as_curl(exchange, api.secrets, api.secret_variables)
    return f"{command}\n\n{as_text(exchange, api.secrets)}\n"
