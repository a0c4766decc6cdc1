"""`python -m suites.bench.conformance_run`: runs the conformance suite on one API once, in a new process.

Rule: the cases of the corpus go through the same functions as in the tests, judging included; nothing is replayed.
The report says which of the sent requests were judged.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contracts.judge.http_judge import Finding
from contracts.openapi import Contract, load_contract
from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import EFFORTS, Corpus
from fixtures.corpus.corpus_cache import CorpusCache, cache_key
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.corpus.request_fields import needs_mail
from fixtures.target_api import Api, MissingPrecondition
from fixtures.targets import from_environment
from suites.generic.http_conformance import CaseCheck, check_accepted, check_refused, findings_of

GENERATOR_MODULE = "fixtures.corpus.valid_requests"  # imported only when a case has to be generated


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs once and writes the report; returns 0, also when there are findings."""
    parser = argparse.ArgumentParser(prog="python -m suites.bench.conformance_run", description=__doc__)
    parser.add_argument("--api", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--server", type=int, default=0, help="which of the document's servers")
    parser.add_argument("--effort", choices=list(EFFORTS), default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", type=Path, required=True, help="folder of cached cases")
    parser.add_argument("--smtp", type=int, required=True, metavar="PORT")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    name, effort = options.api, EFFORTS[options.effort]
    store = CorpusCache(options.store, name, cache_key(name, effort, options.seed))
    corpus = Corpus(load_contract(name), effort, options.seed, store)
    target = from_environment(name, {f"{name.upper()}_URL": options.url})
    assert target is not None
    with mailbox(corpus.contract, options.smtp) as box:
        report = run_conformance(Api(target, mailbox=box, run=str(options.seed)), corpus, options.server)
    options.out.write_text(json.dumps(report))
    return 0


def run_conformance(api: Api, corpus: Corpus, server: int) -> dict[str, Any]:
    """Sends and judges all cases of that server's operations; returns judged requests, findings and skips.

    A request's number is its position among all sent requests, from 0. `generated` says whether a case was generated.
    """
    numbers: list[int] = []
    findings: list[str] = []
    skipped: list[str] = []

    def numbered(check: CaseCheck) -> CaseCheck:
        def check_and_number(api: Api, operation: Operation, case: Case) -> list[Finding]:
            case_findings = check(api, operation, case)
            numbers.append(api.exchange_count - 1)
            return case_findings

        return check_and_number

    for operation in corpus.contract.operations.values():
        if operation.server != server:
            continue
        valid = [*corpus.examples(operation), *corpus.boundaries(operation), *corpus.valid(operation)]
        for cases, check in ((valid, check_accepted), (invalid_requests(corpus, operation), check_refused)):
            try:
                findings += [finding.clause for finding, _ in findings_of(api, operation, cases, numbered(check))]
            except MissingPrecondition as reason:
                skipped.append(f"{operation}: {reason}")
    return {
        "judged": numbers,
        "findings": findings,
        "skipped": skipped,
        "generated": GENERATOR_MODULE in sys.modules,
        "sent": api.exchange_count,
    }


@contextmanager
def mailbox(contract: Contract, port: int) -> Iterator[Any]:
    """Yield a mailbox when a request of the API needs data from a mail, None otherwise."""
    if not needs_mail(contract):
        yield None
        return
    from fixtures.smtp_sink import MailSink  # it takes a while to import, and most APIs send no mail

    with MailSink("127.0.0.1", port) as sink:
        yield sink


if __name__ == "__main__":
    sys.exit(main())
