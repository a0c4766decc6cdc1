"""Which modules are mutated, and which self-tests must kill the mutants.

Each target is one session: its tests are the fast ones that call its modules in their own process, since a mutant is
in the process that runs the test and in no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CONTRACTS, _FIXTURES = "suites/selftest/contracts", "suites/selftest/fixtures"
_LOAD, _REPORTS = "loadtests/selftest", "suites/selftest/reports"


SAMPLED_MODULES = 3


@dataclass(frozen=True)
class Target:
    """A group of modules and its tests: glob patterns, relative to the root of the checkout."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


TARGETS = (
    Target(
        "judges",
        (
            "contracts/judge/*.py",
            "contracts/errors.py",
            "contracts/exchange.py",
            "contracts/formatting.py",
            "contracts/json_pointer.py",
            "contracts/router.py",
        ),
        (
            f"{_CONTRACTS}/test_errors.py",
            f"{_CONTRACTS}/test_exchange*.py",
            f"{_CONTRACTS}/test_documented_members.py",
            f"{_CONTRACTS}/test_http_judge.py",
            f"{_CONTRACTS}/test_json_pointer.py",
            f"{_CONTRACTS}/test_refusal_judge.py",
            f"{_CONTRACTS}/test_router.py",
            f"{_CONTRACTS}/test_rpc_judge.py",
        ),
    ),
    Target(
        "coverage",
        ("contracts/coverage/*.py",),
        (
            f"{_CONTRACTS}/test_coverage_counter.py",
            f"{_CONTRACTS}/test_operation_plan.py",
            f"{_CONTRACTS}/test_rpc_coverage.py",
            f"{_CONTRACTS}/test_schema_coverage.py",
        ),
    ),
    Target("calls", ("contracts/asyncapi.py",), (f"{_CONTRACTS}/test_asyncapi_calls.py",)),
    Target(
        "reading",
        (
            "contracts/clauses.py",
            "contracts/contract_check.py",
            "contracts/loader.py",
            "contracts/openapi.py",
            "contracts/operation.py",
            "contracts/reader/*.py",
            "contracts/yaml_reader.py",
        ),
        (
            f"{_CONTRACTS}/test_broken_contracts.py",
            f"{_CONTRACTS}/test_clauses.py",
            f"{_CONTRACTS}/test_contract_checks.py",
            f"{_CONTRACTS}/test_openapi.py",
            f"{_CONTRACTS}/test_operation_parts.py",
            f"{_CONTRACTS}/test_promises.py",
            f"{_CONTRACTS}/test_references.py",
            f"{_CONTRACTS}/test_yaml_reader.py",
        ),
    ),
    Target(
        "corpus",
        ("fixtures/corpus/*.py", "fixtures/cases.py"),
        (
            f"{_FIXTURES}/test_cases.py",
            f"{_FIXTURES}/test_corpus*.py",
            f"{_FIXTURES}/test_rpc_messages.py",
            f"{_FIXTURES}/test_sampling.py",
        ),
    ),
    Target(
        "wire",
        ("fixtures/http1/*.py", "fixtures/websocket/*.py"),
        (f"{_FIXTURES}/test_frame_codec.py", f"{_FIXTURES}/test_http1*.py", f"{_FIXTURES}/test_request_writer.py"),
    ),
    Target(
        "engine",
        ("loadtests/engine/*.py",),
        (
            f"{_LOAD}/test_*_decisions.py",
            f"{_LOAD}/test_arrival_plan.py",
            f"{_LOAD}/test_byte_stream.py",
            f"{_LOAD}/test_engine_system.py",
            f"{_LOAD}/test_gevent_adapter.py",
            f"{_LOAD}/test_health.py",
            f"{_LOAD}/test_recorder.py",
            f"{_LOAD}/test_stream_layers.py",
        ),
    ),
    Target(
        "histograms",
        ("reports/load/histogram.py", "reports/load/operation_statistics.py"),
        (f"{_LOAD}/test_histogram_layout.py", f"{_REPORTS}/test_operation_statistics.py"),
    ),
    Target(
        "comparison",
        (
            "reports/load/compare_command.py",
            "reports/load/difference.py",
            "reports/load/run_comparison.py",
            "reports/load/t_distribution.py",
        ),
        (
            f"{_REPORTS}/test_comparison_rows.py",
            f"{_REPORTS}/test_difference.py",
            f"{_REPORTS}/test_steps_and_tags.py",
            f"{_REPORTS}/test_t_distribution.py",
        ),
    ),
    Target(
        "verdicts",
        (
            "reports/load/load_verdict.py",
            "reports/load/objective_outcomes.py",
            "reports/load/slo.py",
            "reports/load/verdict_junit.py",
            "reports/load/verdict_text.py",
            "reports/results/verdicts.py",
        ),
        (
            f"{_REPORTS}/test_accepted_causes.py",
            f"{_REPORTS}/test_blocked_tests.py",
            f"{_REPORTS}/test_load_boundaries.py",
            f"{_REPORTS}/test_load_evidence.py",
            f"{_REPORTS}/test_outcome_reasons.py",
            f"{_REPORTS}/test_slo.py",
            f"{_REPORTS}/test_verdict_forms.py",
            f"{_REPORTS}/test_verdicts.py",
        ),
    ),
)

PROVEN = (
    "contracts/coverage/operation_plan.py",
    "contracts/coverage/rpc_plan.py",
    "contracts/coverage/schema_coverage.py",
    "contracts/coverage/schema_nodes.py",
    "contracts/errors.py",
    "contracts/json_pointer.py",
    "fixtures/websocket/frame_codec.py",
    "loadtests/engine/arrival_plan.py",
    "loadtests/engine/deepstream_connection.py",
    "loadtests/engine/deepstream_text_connection.py",
    "loadtests/engine/gevent_adapter.py",
    "loadtests/engine/poller.py",
    "loadtests/engine/timer.py",
    "loadtests/engine/tls.py",
    "loadtests/engine/websocket_connection.py",
    "reports/load/compare_command.py",
    "reports/load/difference.py",
    "reports/load/histogram.py",
    "reports/load/load_verdict.py",
    "reports/load/objective_outcomes.py",
    "reports/load/run_comparison.py",
    "reports/load/slo.py",
    "reports/load/t_distribution.py",
    "reports/load/verdict_junit.py",
    "reports/load/verdict_text.py",
    "reports/results/verdicts.py",
)
"""Modules all of whose mutants were run, at least 95 % killed, every survivor listed. Samples are drawn from them."""


def files(patterns: tuple[str, ...]) -> list[str]:
    """The files of the checkout that match, as sorted paths; packages' `__init__.py` have nothing to mutate."""
    paths = {str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(path for path in paths if not path.endswith("__init__.py"))


def sample_target(targets: Sequence[Target]) -> Target:
    """One of the targets with few of its proven modules, chosen by the content of all: other content, other modules."""
    proven = [
        replace(target, modules=tuple(path for path in files(target.modules) if path in PROVEN)) for target in targets
    ]
    candidates = [target for target in proven if target.modules]
    target = min(candidates, key=lambda target: digest(candidates, target.name))
    modules = sorted(target.modules, key=lambda path: digest(candidates, path))
    return replace(target, modules=tuple(modules[:SAMPLED_MODULES]))


def digest(targets: Sequence[Target], text: str) -> str:
    """A hash of the modules' content and that text, to put things in an order that changes with the content."""
    content = hashlib.sha256(b"".join((ROOT / path).read_bytes() for target in targets for path in target.modules))
    return hashlib.sha256(f"{content.hexdigest()} {text}".encode()).hexdigest()
