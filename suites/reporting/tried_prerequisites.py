"""Tries what the tests of an API stand on, once in a run, and keeps it with its exchange for all processes of the run.

Rule: the process whose test needs it first tries it; the others read what it found. A test that was refused as a
prerequisite is refused is blocked by that one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from contracts.exchange import as_text
from fixtures.target_api import Api, MissingPrecondition
from reports.results.causes import cause_id
from reports.results.finding_record import FindingRecord, parse_finding, refusal_digest
from reports.results.result_log import ResultRecord
from reports.results.run_manifest import PREREQUISITES_PREFIX
from suites.reporting import finding_records, prerequisites
from suites.reporting.prerequisites import Prerequisite
from suites.reporting.response_evidence import NothingTested

READING_METHODS = ("GET", "HEAD", "OPTIONS")


class TriedPrerequisites:
    """The prerequisites of the APIs of a run; without a folder, those that this process has tried."""

    def __init__(self, results: Path | None, is_strict: bool) -> None:
        self._results, self._is_strict = results, is_strict
        self._tried: set[tuple[str, str]] = set()  # APIs and kinds of prerequisites
        self._findings: dict[tuple[str, str], list[FindingRecord]] = {}  # by them, of the broken ones
        self._new: list[ResultRecord] = []

    def require_tried(self, api: Api) -> None:
        """Tries what the present test of the API stands on, unless a process of the run has begun to."""
        self._require(api, prerequisites.READING)
        if any(exchange.request.method not in READING_METHODS for exchange in api.exchanges):
            self._require(api, prerequisites.WRITING)

    def _require(self, api: Api, kind: str) -> None:
        key = (api.target.api, kind)
        path = self._path(*key)
        if key in self._tried or not _is_first(path):
            return
        self._tried.add(key)
        tried = prerequisites.try_some(api, kind)
        findings = {it.name: self._finding_records(api, it) for it in tried}
        self._findings[key] = [finding for listed in findings.values() for finding in listed]
        if path is not None:
            fresh = path.with_suffix(".tmp")
            fresh.write_text(json.dumps([_facts(api, it, findings[it.name]) for it in tried], indent=1), "utf-8")
            fresh.replace(path)
        self._new += [_record(api, it, findings[it.name]) for it in tried if it.exchange]

    def take_new(self) -> list[ResultRecord]:
        """A record of each prerequisite that was tried here since the last call of this."""
        records, self._new = self._new, []
        return records

    def blocking(self, api: Api, error: BaseException) -> tuple[str, ...]:
        """The ids of the causes by which that error kept a test from its subject, as far as they are known.

        They are those of other tests' findings, else of the prerequisites that are refused as the test was.
        """
        if not isinstance(error, MissingPrecondition | NothingTested):
            return ()
        ids = error.blocked_by if isinstance(error, MissingPrecondition) else ()
        if ids or error.refusal is None:
            return ids
        self.require_tried(api)
        digest = refusal_digest(api.contract, error.refusal)
        broken = self._broken(api.target.api)
        return tuple(dict.fromkeys(cause_id(api.target.api, it) for it in broken if digest and it.answer == digest))

    def _broken(self, name: str) -> Iterator[FindingRecord]:
        for kind in prerequisites.CHECKS:
            key, path = (name, kind), self._path(name, kind)
            if key not in self._findings and path is not None and path.exists():
                listed = json.loads(path.read_text("utf-8"))
                self._findings[key] = [parse_finding(finding) for it in listed for finding in it["findings"]]
            yield from self._findings.get(key, ())

    def _path(self, name: str, kind: str) -> Path | None:
        if self._results is None or not self._results.is_dir():
            return None
        return self._results / f"{PREREQUISITES_PREFIX}{name}-{kind}.json"

    def _finding_records(self, api: Api, tried: Prerequisite) -> list[FindingRecord]:
        return [finding_records.record_of(api, (finding, None), self._is_strict) for finding in tried.findings]


def _is_first(path: Path | None) -> bool:
    """Whether no process has begun to try what is kept in that file; from now on this one has."""
    if path is None:
        return True
    try:
        path.with_suffix(".begun").open("x").close()
    except FileExistsError:
        return False
    return True


def _facts(api: Api, tried: Prerequisite, findings: Sequence[FindingRecord]) -> dict[str, object]:
    state = "broken" if findings else "not tried" if tried.reason else "ok"
    exchange = as_text(tried.exchange, api.secrets) if tried.exchange else ""
    listed = [asdict(finding) for finding in findings]
    return {"name": tried.name, "state": state, "reason": tried.reason, "exchange": exchange, "findings": listed}


def _record(api: Api, tried: Prerequisite, findings: Sequence[FindingRecord]) -> ResultRecord:
    clauses = tuple(dict.fromkeys(finding.clause for finding in findings))
    is_mild = all(finding.is_warning for finding in findings)
    return ResultRecord(
        api=api.target.api,
        node=f"prerequisites::{api.target.api}[{tried.name}]",
        title=prerequisites.SENTENCES[tried.name],
        outcome="passed" if not findings else "warning" if is_mild else "failed",
        clauses=clauses,
        blamed=clauses,
        message="; ".join(_sentences(findings)),
        exchanges=1,
        findings=tuple(findings),
        prerequisite=tried.name,
    )


def _sentences(findings: Sequence[FindingRecord]) -> Iterator[str]:
    yield from (f"{it.clause}: expected {it.expected}, received {it.received}" for it in findings)
