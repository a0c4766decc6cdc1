"""Tests that difficult values come back as they were sent, by every operation that writes a record."""

from __future__ import annotations

import pytest

from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.corpus import Corpus
from fixtures.corpus.difficult_values import difficult_values
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.kept_values import SAMPLED, KeptValues
from suites.generic.record_writes import record_write, written_members


def reason_against(operation: Operation) -> str:
    """Why no value can be lost by the operation, "" if one can."""
    if operation.safe:
        return "it writes nothing"
    write = record_write(operation)
    if write is None:
        return "no clause says that what it is sent is kept"
    contract = load_contract(operation.api)
    if not any(difficult_values(contract, it.request_field.schema) for it in written_members(contract, write)):
        return "it takes no value that a response shows"
    return ""


@pytest.mark.bug_kind("values keep", reason_against=reason_against)
def test_difficult_values_keep(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Texts, numbers, dates and lists that software likes to change are shown as they were sent."""
    write = record_write(operation)
    assert write is not None
    walk = KeptValues(api, corpus, write, share=1 if write.is_main else SAMPLED)
    walk.write_all()
    if not walk.compared:
        raise MissingPrecondition(f"no response showed a value that {operation} was sent")
