"""A kill table with every verdict, and a comparison with another tool: data for the tests of the kill table's page."""

from __future__ import annotations

from reports.mutation.kill_table import Complaint, KillTable, MutationResult, Provenance
from reports.mutation.tool_comparison import ComparedChange, ToolComparison, ToolResult

PROVENANCE = Provenance("2026-01-02T03:04:05+00:00", "python -m suites.mutation", 2, 4, "3.11.1")
CLAUSE, OTHER, READING = "GETFLOW-ERR-10", "GETFLOW-ERR-2", "GETFLOW-AMB-15"
TEST = "suites/getflow/test_errors.py::test_missing_parameter_is_named[limit|name]"


def complaint(*clauses: str, message: str = "GETFLOW-ERR-10: expected one", broken: bool = False) -> Complaint:
    """A test's complaint that blames these clauses."""
    return Complaint(TEST, clauses, message, broken)


def change(
    name: str, kind: str = "fault", *complaints: Complaint, clause: str = CLAUSE, api: str = "getflow"
) -> MutationResult:
    """The result of one change that breaks `clause`."""
    return MutationResult(api, name, kind, (clause,), f"What {name} does.", complaints, 1234, 0.25)


RESULTS = (
    change("ends_in_an_error", "fault", complaint(CLAUSE), complaint(broken=True, message="KeyError: 'id'")),
    change("nobody_complains", "fault"),
    change("blames_another", "fault", complaint(OTHER)),
    change("blamed_for_nothing", "variant", complaint(CLAUSE), clause=READING),
    change("names_the_wrong_attribute", "fault", complaint(CLAUSE)),
    change("counts_from_one", "fault", complaint("FLOWBACK-PAGE-1"), clause="FLOWBACK-PAGE-1", api="flowback"),
    change("is_of_an_unknown_clause", "fault", complaint("GETFLOW-GONE-1"), clause="GETFLOW-GONE-1"),
    change("clamps_the_limit", "variant", clause=READING),
    MutationResult("all", "3", "seed", (), "other requests", (), 900, 2.5),
)
VERDICTS = ("broken", "missed", "foreign", "blamed", "caught", "caught", "caught", "ok", "ok")


def kill_table_of(*results: MutationResult, honest: tuple[Complaint, ...] = ()) -> KillTable:
    """A kill table with these results; without any, with RESULTS."""
    chosen = results or RESULTS
    apis = sorted({result.api for result in chosen if result.kind != "seed"})
    changes = {
        api: {kind: sum((result.api, result.kind) == (api, kind) for result in chosen) for kind in ("fault", "variant")}
        for api in apis
    }
    return KillTable(PROVENANCE, 98.7, 321, changes, honest, chosen, 12)


def comparison() -> ToolComparison:
    """Two faults, a variant and an unchanged reference, each with both tools."""
    ok, caught = ToolResult("ok", "", 0, 50, 2.0), ToolResult("caught", CLAUSE, 1, 3, 0.5)
    killed = ToolResult("killed", "JsonSchemaError at GET /goods", 1, 40, 4.0)
    missed = ToolResult("missed", "", 0, 40, 4.0)
    blamed = ToolResult("blamed", "UndefinedStatusCode at GET /goods", 1, 40, 4.0)
    rows = (
        ComparedChange("getflow", "a", "fault", caught, killed),
        ComparedChange("getflow", "b", "fault", caught, missed),
        ComparedChange("getflow", "c", "variant", ok, blamed),
        ComparedChange(
            "getflow", "honest", "honest", ToolResult("ok", "", 0, 0, 0.0), ToolResult("blamed", "x; y", 2, 999, 99.0)
        ),
    )
    return ToolComparison(PROVENANCE, "Schemathesis 4.0", "a sample", rows)
