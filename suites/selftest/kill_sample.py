"""A kill table with every verdict there is, and a comparison beside it: what the page of the kill table is made of."""

from __future__ import annotations

from reports.compared import Comparison, Row, Side
from reports.kills import Complaint, Made, Proof, Result

MADE = Made("2026-01-02T03:04:05+00:00", "python -m suites.prove", 2, 4, "3.11.1")
CLAUSE, OTHER, READING = "GETFLOW-ERR-10", "GETFLOW-ERR-2", "GETFLOW-AMB-15"
TEST = "suites/getflow/test_errors.py::test_missing_parameter_is_named[limit|name]"


def complaint(*clauses: str, message: str = "GETFLOW-ERR-10: expected one", broken: bool = False) -> Complaint:
    """A test's complaint about these clauses."""
    return Complaint(TEST, clauses, message, broken)


def change(
    name: str, kind: str = "fault", *complaints: Complaint, clause: str = CLAUSE, api: str = "getflow"
) -> Result:
    """One change of a clause, and who complained about it."""
    return Result(api, name, kind, (clause,), f"What {name} does.", complaints, 1234, 0.25)


RESULTS = (
    change("ends_in_an_error", "fault", complaint(CLAUSE), complaint(broken=True, message="KeyError: 'id'")),
    change("nobody_complains", "fault"),
    change("blames_another", "fault", complaint(OTHER)),
    change("blamed_for_nothing", "variant", complaint(CLAUSE), clause=READING),
    change("names_the_wrong_attribute", "fault", complaint(CLAUSE)),
    change("counts_from_one", "fault", complaint("FLOWBACK-PAGE-1"), clause="FLOWBACK-PAGE-1", api="flowback"),
    change("is_of_an_unknown_clause", "fault", complaint("GETFLOW-GONE-1"), clause="GETFLOW-GONE-1"),
    change("clamps_the_limit", "variant", clause=READING),
    Result("all", "3", "seed", (), "other requests", (), 900, 2.5),
)
VERDICTS = ("broken", "missed", "foreign", "blamed", "caught", "caught", "caught", "ok", "ok")


def proof(*results: Result, honest: tuple[Complaint, ...] = ()) -> Proof:
    """A whole proof of these results."""
    found = results or RESULTS
    apis = sorted({one.api for one in found if one.kind != "seed"})
    there_are = {api: {"fault": sum((one.api, one.kind) == (api, "fault") for one in found)} for api in apis}
    return Proof(MADE, 98.7, 321, there_are, honest, found)


def comparison() -> Comparison:
    """Two faults, a variant and an honest reference before both sides."""
    kept, caught = Side("ok", "", 0, 50, 2.0), Side("caught", CLAUSE, 1, 3, 0.5)
    rows = (
        Row("getflow", "a", "fault", caught, Side("killed", "JsonSchemaError at GET /goods", 1, 40, 4.0)),
        Row("getflow", "b", "fault", caught, Side("missed", "", 0, 40, 4.0)),
        Row("getflow", "c", "variant", kept, Side("blamed", "UndefinedStatusCode at GET /goods", 1, 40, 4.0)),
        Row("getflow", "honest", "honest", Side("ok", "", 0, 0, 0.0), Side("blamed", "x; y", 2, 999, 99.0)),
    )
    return Comparison(MADE, "Schemathesis 4.0", "a sample", rows)
