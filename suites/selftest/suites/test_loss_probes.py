"""Every clause whose breach loses data, ignores a parameter or leaks data has a test that stands on little.

Rule: which clauses these are follows from the contracts; those about keys and other accounts stand in a table.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import contracts
from contracts.clauses import clauses
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.corpus import EFFORTS, corpus
from suites.generic.record_writes import WRITES, record_write
from suites.generic.test_ignored_parameters import page_sizes, read_ids
from suites.generic.test_lost_writes import created_texts, updated_texts
from suites.reporting.finding_records import parameter_clause

SUITES = Path(__file__).parents[2]
PROBES = {"create": created_texts, "update": updated_texts}
LEAKS = {  # clauses by which data of another account, or without a key, is shown; each with a test that needs no list
    "FLOWAPP-AUTH-1": "generic/test_operations.py::test_credentials",
    "FLOWAPP-AUTH-3": "flowapp/test_authentication.py::test_another_accounts_key_opens_no_known_session",
    "FLOWBACK-AUTH-3": "generic/test_operations.py::test_credentials",
    "FLOWBACK-AUTH-6": "flowback/test_authentication.py::test_each_key_has_its_own_current_user",
    "GETFLOW-AUTH-1": "generic/test_operations.py::test_credentials",
    "BITVIS-AUTH-1": "generic/test_operations.py::test_credentials",
}


def operations(api: str) -> Iterator[Operation]:
    yield from load_contract(api).operations.values()


@pytest.mark.parametrize("api", contracts.apis())
@pytest.mark.parametrize("action", WRITES)
def test_every_clause_that_keeps_a_write_has_a_probe(api: str, action: str) -> None:
    kept = {str(it["keeps"][action]) for it in load_contract(api).resources.values() if action in it.get("keeps", {})}
    requests = corpus(api, EFFORTS["quick"], 0)
    probed = {
        write.clause
        for operation in operations(api)
        if PROBES[action](requests, operation) and (write := record_write(operation, (action,)))
    }
    assert probed == kept


@pytest.mark.parametrize("api", contracts.apis())
def test_every_clause_of_a_page_size_has_a_probe(api: str) -> None:
    sized = {
        parameter_clause(operation, parameter)
        for operation in operations(api)
        for parameter in operation.parameters
        if parameter.location == "query" and parameter.name in ("limit", "per_page", "size")
    }
    requests = corpus(api, EFFORTS["quick"], 0)
    probed = {
        parameter_clause(operation, it) for operation in operations(api) for it in page_sizes(requests, operation)
    }
    assert sized <= probed


@pytest.mark.parametrize("api", contracts.apis())
def test_every_operation_that_reads_a_record_over_http_has_a_probe(api: str) -> None:
    requests = corpus(api, EFFORTS["quick"], 0)
    resources = [it for it in load_contract(api).resources.values() if {"read", "id"} <= set(it)]
    reading = {str(it["read"]) for it in resources}
    assert reading <= {operation.id for operation in operations(api) if read_ids(requests, operation)}


@pytest.mark.parametrize("clause", LEAKS)
def test_every_clause_that_keeps_data_from_others_has_a_probe(clause: str) -> None:
    file, _, name = LEAKS[clause].partition("::")
    functions = {
        node.name for node in ast.walk(ast.parse((SUITES / file).read_text())) if isinstance(node, ast.FunctionDef)
    }
    assert name in functions
    assert clauses(clause.partition("-")[0].lower())[clause].check in ("wire", "fixture")
