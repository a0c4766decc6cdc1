"""What a run leaves for the report: where each test stands, what was exchanged, and whether the run came to its end.

Rule: a result is written when its test ends, so a run that is killed keeps what it had, and `run.json` says that it
was not complete. Secrets are masked before anything is written.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import allure
import pytest

import contracts
from contracts import readable
from contracts.clauses import in_force, readings, says
from contracts.exchange import FRAME, Exchange, as_curl, as_text, endpoint, masked
from contracts.judge import refused
from contracts.operation import Operation
from contracts.rpc import Call
from fixtures.api import Api
from fixtures.targets import from_environment
from reports import run
from reports.labels import Clause, describe, mark
from suites.blame import ContractBroken
from suites.records import Resource

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "reports" / "out" / "allure-results"
SHOWN = 3  # exchanges of a passing test
SHOWN_FAILING = 8
TEXT = allure.attachment_type.TEXT


def is_wanted(config: pytest.Config) -> bool:
    """Whether this run is about targets: the tests of the suite itself leave the last report alone."""
    return not any("selftest" in str(argument) for argument in config.args)


def configure(config: pytest.Config) -> None:
    """Lets Allure write to `reports/out/allure-results`, emptied first, unless --alluredir says otherwise."""
    if not config.pluginmanager.has_plugin("allure_pytest") or not is_wanted(config):
        return
    if config.option.allure_report_dir is None:
        config.option.allure_report_dir = str(RESULTS)
    if not hasattr(config, "workerinput"):
        run.clear(Path(config.option.allure_report_dir))


def folder(config: pytest.Config) -> Path | None:
    """Where this run's results go, None when it leaves none."""
    name = getattr(config.option, "allure_report_dir", None)
    return Path(name) if name and is_wanted(config) else None


def carrier(item: pytest.Item) -> Operation | Call | Resource | None:
    """The operation, call or resource of a contract that a test runs on, None when it is a test of its own."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return next((value for value in parameters.values() if isinstance(value, Operation | Call | Resource)), None)


def api_name(item: pytest.Item) -> str:
    """The API that a test is about: of its operation, call or resource, else of its folder."""
    on = carrier(item)
    return on.api if on else item.path.parent.name


def clauses_of(item: pytest.Item) -> list[str]:
    """The clauses that a test checks: those of its marks, else its operation's, call's or resource's."""
    marked = [identifier for one in item.iter_markers("clause") for identifier in one.args]
    on = carrier(item)
    return marked or (list(on.clauses) if on else [])


def label(items: Sequence[pytest.Item]) -> None:
    """Gives every test its place in the report."""
    for item in items:
        on = carrier(item)
        parameters = _told_parameters(item, on)
        told = describe(
            api=api_name(item),
            section=on.section if isinstance(on, Operation | Call) else item.path.stem.removeprefix("test_"),
            clauses=[Clause(identifier, *says(identifier)) for identifier in clauses_of(item)],
            name=getattr(item, "originalname", item.name),
            node=item.nodeid,
            doc=item.function.__doc__ if isinstance(item, pytest.Function) else None,
            operation=on.label if on else "",
            case=parameters,
        )
        mark(item, told)


def _told_parameters(item: pytest.Item, on: Operation | Call | Resource | None) -> str:
    """What a title says of a test's parameters: of a call its transport, the call itself standing before."""
    if not hasattr(item, "callspec"):
        return ""
    return item.callspec.params.get("transport", "") if on else item.callspec.id


def begin(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Says what the run is about to do."""
    results = folder(config)
    if results:
        run.start(results, Counter(api_name(item) for item in items), environment(config))


def end(config: pytest.Config, status: int, problems: Sequence[str]) -> None:
    """Says that the run came to its end."""
    results = folder(config)
    if results and not hasattr(config, "workerinput"):
        run.finish(results, status, problems)


def environment(config: pytest.Config) -> dict[str, str]:
    """What a reader must know to run it again."""
    fixed = {
        name: in_force(name, os.environ)
        for api in contracts.apis()
        for name, reading in readings(api).items()
        if reading.meanings and in_force(name, os.environ) != reading.default
    }
    return {
        **{f"target of {api}": _where(api) for api in contracts.apis()},
        "effort": config.option.effort,
        "seed": str(config.option.seed),
        "hypothesis profile": os.environ.get("HYPOTHESIS_PROFILE", "ci"),
        "revision": _revision(),
        "python": platform.python_version(),
        "schemathesis": version("schemathesis"),
        **{f"reading {name}": meaning for name, meaning in fixed.items()},
    }


def _where(api: str) -> str:
    target = from_environment(api, os.environ)
    return target.url if target else "our reference, embedded"


def _revision() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "not a git checkout"


def attach(api: Api, error: BaseException | None) -> None:
    """Leaves exchanges beside the result, each with a curl line: those that show a finding, and the last ones."""
    shown = list(error.exchanges) if isinstance(error, ContractBroken) else []
    last = [one for one in api.exchanges if one not in shown]
    for exchange in shown[:SHOWN_FAILING]:
        allure.attach(_page(exchange, api.secrets), f"the finding: {_title(exchange, api)}", TEXT)
    for exchange in last[-(SHOWN_FAILING if error and not shown else SHOWN) :]:
        allure.attach(_page(exchange, api.secrets), _title(exchange, api), TEXT)


def _title(exchange: Exchange, api: Api) -> str:
    if exchange.sent.method == FRAME:
        return _framed_title(exchange, api)
    path = exchange.sent.url.removeprefix(api.target.url).split("?")[0]
    return f"{exchange.sent.method} {path[:80]} → {exchange.answer.status or 'no answer'}"


def _framed_title(exchange: Exchange, api: Api) -> str:
    """Of a frame: endpoint, method, and how the call went."""
    answer = exchange.answer
    outcome = "refused" if refused(api.contract, answer) else "answered" if answer.body else "no answer"
    where = endpoint(exchange.sent.url, api.target.url)
    return masked(f"{where[:80]} {readable.method(exchange.sent.body)[:40]} by frame → {outcome}", api.secrets)


def _page(exchange: Exchange, secrets: list[str]) -> str:
    return f"{as_curl(exchange, secrets)}\n\n{as_text(exchange, secrets)}\n"


def attach_readings(seen: dict[str, str]) -> None:
    """Leaves the meanings that were seen beside the test's result."""
    for name, meaning in seen.items():
        allure.dynamic.label("reading", f"{name}: {meaning}")


def attach_count(exchanges: int) -> None:
    """Leaves how many exchanges the test made beside its result."""
    allure.dynamic.label("exchanges", str(exchanges))


def blamed(item: pytest.Item, error: BaseException) -> list[str]:
    """The clauses that a complaint is about: its own, else all that the test checks."""
    return list(error.clauses) if isinstance(error, ContractBroken) else clauses_of(item)


def complaint(item: pytest.Item, error: BaseException) -> str:
    """What a person reads when a test complains: the clause, what was not so, and how to try it."""
    notes = [str(note) for note in getattr(error, "__notes__", [])]
    if isinstance(error, ContractBroken):
        return "\n".join([str(error), *notes])
    lines = []
    for identifier in clauses_of(item)[:1]:
        sentence, where = says(identifier)
        lines += [f"{identifier}: {sentence}", f"  document   {where}"]
    lines += [f"  but        {line}" for line in str(error).split("\n")[:12]]
    api: Api | None = getattr(item, "funcargs", {}).get("api")
    if api and api.exchanges:
        lines.append(f"  try it     {as_curl(api.exchanges[-1], api.secrets)}")
    return masked("\n".join([*lines, *notes]), api.secrets if api else ())
