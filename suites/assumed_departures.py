"""Departures that the preflight has found out: the run goes on with them, so that everything else is tested.

Rule: an assumed departure is one finding, which counts until a target file names it. Nothing is assumed that makes up
what the target does not send.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, judge_response
from contracts.openapi import load_contract
from contracts.operation import Operation
from contracts.router import subject_of
from fixtures.departures.departed_clause import departed_clause
from fixtures.departures.keyword_reader import make_keyword
from fixtures.departures.translation import translation_of
from fixtures.preflight import preflight_report
from fixtures.preflight.preflight_report import PreflightReport
from fixtures.preflight.preflight_run import NEVER_ASSUMED
from fixtures.target_api import Api
from fixtures.targets import Target
from reports.results.result_log import ResultRecord
from suites.reporting import finding_records, pace_plugin

KIND = "departure"  # the kind of their findings


@dataclass(frozen=True)
class AssumedDeparture:
    """A departure of the preflight. problem: what was not as documented, in a few words, as the exchange shows."""

    name: str
    value: Any
    problem: str
    exchange: Exchange

    @property
    def text(self) -> str:
        """Keyword and value in one line, as in a target file."""
        return f"{self.name}: {preflight_report.flow_style(self.value)}"


def assumed_in(report: PreflightReport) -> list[AssumedDeparture]:
    """The departures of that preflight with which the run goes on; one that shows at several members is one."""
    assumable = [
        AssumedDeparture(name, value, problem, exchange)
        for (name, value), (problem, exchange) in zip(report.proposals, report.evidence, strict=True)
        if name not in NEVER_ASSUMED
    ]
    first: dict[object, AssumedDeparture] = {}
    for departure in assumable:
        first.setdefault(_subject(departure), departure)
    return list(first.values())


def _subject(departure: AssumedDeparture) -> tuple[object, ...]:
    """What the departure is about: the names of members without their places, the object that members moved into."""
    if departure.name not in ("rename", "move"):
        return departure.name, repr(departure.value)
    pairs = [(side, *pair) for side, names in departure.value.items() for pair in names.items()]
    if departure.name == "rename":
        return departure.name, *((side, _last(old), _last(new)) for side, old, new in pairs)
    return departure.name, *sorted({(side, old.rpartition("/")[0].rpartition("/")[2]) for side, old, _ in pairs})


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _clause(api: Api, departure: AssumedDeparture) -> str:
    """The clause that it breaks: of members of a response that of what is wrong there."""
    if departure.name in ("rename", "move"):
        operation = subject_of(api.contract, api.target.url, departure.exchange)
        judged = operation if isinstance(operation, Operation) else None
        findings = judge_response(api.contract, judged, departure.exchange) if judged else []
        if findings:
            return findings[0].clause
    return departed_clause(api.contract, departure.name, departure.value)


def share(config: pytest.Config, report: PreflightReport) -> None:
    """Tells every process of the run with which departures it goes on."""
    departures = [(name, value) for name, value in report.proposals if name not in NEVER_ASSUMED]
    if departures or report.settings:
        path = _path(config.stash[pace_plugin.FOLDER], report.api)
        fresh = path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps({"departures": departures, "settings": report.settings}), "utf-8")
        fresh.replace(path)


def with_assumed(config: pytest.Config, target: Target) -> Target:
    """The target as the run goes on with it."""
    folder = config.stash.get(pace_plugin.FOLDER, None)
    if folder is None or not _path(folder, target.api).exists():
        return target
    contract = load_contract(target.api)
    known = [departure.keyword for departure in target.departures]
    values = json.loads(_path(folder, target.api).read_text("utf-8"))
    keywords = [*known, *(make_keyword(contract, name, value) for name, value in values["departures"])]
    settings = {**target.settings, **values["settings"]}
    return replace(target, settings=settings, translation=translation_of(target.url, keywords, settings))


def _path(folder: Path, api: str) -> Path:
    return folder / f"assumed-departures-{api}.json"


def records(target: Target, departures: Sequence[AssumedDeparture], is_strict: bool) -> Iterator[ResultRecord]:
    """The result that each of these departures is: a failure, or a warning where the document does not demand it."""
    api = Api(target)
    for departure in departures:
        clause = _clause(api, departure)
        finding = Finding(
            clause,
            f"as documented, without `{departure.name}` in a target file",
            departure.problem,
            departure.exchange.actual or departure.exchange,
            slot=f"departure {departure.name}",
            kind=KIND,
        )
        record = finding_records.record_of(api, (finding, None), is_strict)
        yield ResultRecord(
            api=target.api,
            node=f"departures::{target.api}[{departure.text}]",
            title=f"The target departs by {departure.text}",
            outcome="warning" if record.is_warning else "failed",
            clauses=(clause,),
            blamed=(clause,),
            message=f"{clause}: the target departs by {departure.text} ({departure.problem}); the run goes on with it",
            findings=(record,),
            exchanges=1,
            departure=departure.text,
        )
