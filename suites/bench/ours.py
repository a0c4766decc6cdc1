"""`python -m suites.bench.ours`: one run of the conformance suite on one API, in a process as fresh as stock's.

Rule: the cases of the corpus go through the functions that the suites' tests call, judging and all; nothing is
replayed. What is written down at the end is which of the requests on the wire were judged.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contracts.document import Contract, contract
from contracts.judge import Finding
from contracts.operation import Operation
from fixtures.api import Api, Lacking
from fixtures.cases import Case
from fixtures.corpus import EFFORTS, Corpus
from fixtures.corpus.mutations import mutated
from fixtures.corpus.slots import slots
from fixtures.corpus.store import Store, key_of
from fixtures.targets import from_environment
from suites.conformance import Check, accepted, findings, refused_as_documented

MAKER = "fixtures.corpus.generate"  # imported only when a case has to be made


def main(arguments: Sequence[str] | None = None) -> int:
    """One run; returns 0 whatever was found."""
    parser = argparse.ArgumentParser(prog="python -m suites.bench.ours", description=__doc__)
    parser.add_argument("--api", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--server", type=int, default=0, help="which of the document's servers")
    parser.add_argument("--effort", choices=list(EFFORTS), default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", type=Path, required=True, help="folder of kept cases")
    parser.add_argument("--smtp", type=int, required=True, metavar="PORT")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    name, effort = options.api, EFFORTS[options.effort]
    store = Store(options.store, name, key_of(name, effort, options.seed))
    corpus = Corpus(contract(name), effort, options.seed, store)
    target = from_environment(name, {f"{name.upper()}_URL": options.url})
    assert target is not None
    with mailbox(corpus.contract, options.smtp) as box:
        report = judged(Api(target, mailbox=box, run=str(options.seed)), corpus, options.server)
    options.out.write_text(json.dumps(report))
    return 0


def judged(api: Api, corpus: Corpus, server: int) -> dict[str, Any]:
    """Sends and judges all cases of that server's operations: the numbers of the judged requests, findings, and skips.

    A request's number is its place among all that were sent, from 0. `made` says whether a case had to be generated.
    """
    numbers: list[int] = []
    found: list[str] = []
    skipped: list[str] = []

    def noting(check: Check) -> Check:
        def noted(api: Api, operation: Operation, case: Case) -> list[Finding]:
            got = check(api, operation, case)
            numbers.append(api.count - 1)
            return got

        return noted

    for operation in corpus.contract.operations.values():
        if operation.server != server:
            continue
        valid = [*corpus.examples(operation), *corpus.boundaries(operation), *corpus.valid(operation)]
        for cases, check in ((valid, accepted), (mutated(corpus, operation), refused_as_documented)):
            try:
                found += [finding.clause for finding, _ in findings(api, operation, cases, noting(check))]
            except Lacking as reason:
                skipped.append(f"{operation}: {reason}")
    return {"judged": numbers, "findings": found, "skipped": skipped, "made": MAKER in sys.modules, "sent": api.count}


@contextmanager
def mailbox(whole: Contract, port: int) -> Iterator[Any]:
    """Receives the target's mails where a request needs what is in one; None for all other APIs."""
    sources = [slot.known for operation in whole.operations.values() for slot in slots(whole, operation)]
    if not any(source and source.get("mail") for source in sources):
        yield None
        return
    from fixtures.mail import MailSink  # it takes a while to import, and most APIs send no mail

    with MailSink("127.0.0.1", port) as sink:
        yield sink


if __name__ == "__main__":
    sys.exit(main())
