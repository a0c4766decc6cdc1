"""Which modules are mutated, and which self-tests must kill the mutants.

Each target is one run of mutmut, with the tests that reach its modules within the test process: a test that starts
another process cannot kill a mutant, since the mutated function is chosen in the process that forks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Target:
    """A group of modules (glob patterns) and the paths of its tests, relative to the root of the checkout."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


TARGETS = (
    Target(
        "contracts",
        ("contracts/*.py", "contracts/judge/*.py", "contracts/coverage/*.py"),
        (
            "suites/selftest/contracts/test_asyncapi.py",
            "suites/selftest/contracts/test_broken_contracts.py",
            "suites/selftest/contracts/test_coverage_counter.py",
            "suites/selftest/contracts/test_exchange.py",
            "suites/selftest/contracts/test_http_judge.py",
            "suites/selftest/contracts/test_json_pointer.py",
            "suites/selftest/contracts/test_openapi.py",
            "suites/selftest/contracts/test_operation_plan.py",
            "suites/selftest/contracts/test_promises.py",
            "suites/selftest/contracts/test_references.py",
            "suites/selftest/contracts/test_refusal_judge.py",
            "suites/selftest/contracts/test_router.py",
            "suites/selftest/contracts/test_rpc_coverage.py",
            "suites/selftest/contracts/test_rpc_judge.py",
            "suites/selftest/contracts/test_schema_coverage.py",
            "suites/selftest/contracts/test_yaml_reader.py",
        ),
    ),
    Target(
        "corpus",
        ("fixtures/corpus/*.py", "fixtures/cases.py"),
        (
            "suites/selftest/fixtures/test_corpus*.py",
            "suites/selftest/fixtures/test_cases.py",
            "suites/selftest/fixtures/test_sampling.py",
            "suites/selftest/fixtures/test_rpc_messages.py",
        ),
    ),
    Target(
        "engine",
        ("fixtures/http1/*.py", "fixtures/websocket/*.py", "loadtests/engine/*.py"),
        (
            "loadtests/selftest/test_engine_*.py",
            "loadtests/selftest/test_virtual_user.py",
            "loadtests/selftest/test_arrival_plan.py",
            "loadtests/selftest/test_recorder.py",
            "loadtests/selftest/test_health.py",
            "suites/selftest/fixtures/test_http1*.py",
            "suites/selftest/fixtures/test_request_writer.py",
            "suites/selftest/fixtures/test_frame_codec*.py",
        ),
    ),
    Target(
        "verdicts",
        (
            "reports/results/verdicts.py",
            "reports/load/load_verdict.py",
            "reports/load/difference.py",
            "reports/load/histogram.py",
            "reports/load/operation_statistics.py",
            "reports/load/t_distribution.py",
        ),
        (
            "suites/selftest/reports/test_difference.py",
            "suites/selftest/reports/test_load_boundaries.py",
            "suites/selftest/reports/test_load_verdict.py",
            "suites/selftest/reports/test_operation_statistics.py",
            "suites/selftest/reports/test_t_distribution.py",
            "suites/selftest/reports/test_verdicts.py",
            "loadtests/selftest/test_histogram.py",
        ),
    ),
)

PROVEN = (
    "contracts/clauses.py",
    "contracts/coverage/operation_plan.py",
    "contracts/json_pointer.py",
    "contracts/judge/refusal_judge.py",
    "contracts/judge/rpc_judge.py",
    "contracts/yaml_reader.py",
    "fixtures/cases.py",
    "fixtures/corpus/boundary_values.py",
    "fixtures/corpus/builder.py",
    "fixtures/corpus/invalid_requests.py",
    "fixtures/corpus/invalid_values.py",
    "fixtures/corpus/request_fields.py",
    "fixtures/http1/chunked_body.py",
    "fixtures/http1/incoming_response.py",
    "fixtures/http1/request_writer.py",
    "fixtures/http1/response_head.py",
    "fixtures/http1/response_reader.py",
    "fixtures/websocket/frame_codec.py",
    "fixtures/websocket/frame_reader.py",
    "loadtests/engine/connection.py",
    "loadtests/engine/exchange_types.py",
    "loadtests/engine/health.py",
    "loadtests/engine/http_connection.py",
    "loadtests/engine/recorder.py",
    "loadtests/engine/virtual_user.py",
    "reports/load/load_verdict.py",
    "reports/load/operation_statistics.py",
    "reports/results/verdicts.py",
)
"""Modules that have reached the mark. A sample is drawn from them; the others are known to need more self-tests."""


def files(patterns: tuple[str, ...]) -> list[str]:
    """The files of the checkout that match, as sorted paths; packages' `__init__.py` have nothing to mutate."""
    paths = {str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(path for path in paths if not path.endswith("__init__.py"))


def sample(targets: tuple[Target, ...], count: int) -> tuple[Target, ...]:
    """`count` proven modules of these targets, chosen by the content of the modules: other content, another sample."""
    modules = [(target, path) for target in targets for path in files(target.modules) if path in PROVEN]
    digest = hashlib.sha256(b"".join((ROOT / path).read_bytes() for _, path in modules)).hexdigest()
    modules.sort(key=lambda entry: hashlib.sha256(f"{digest}{entry[1]}".encode()).hexdigest())
    return tuple(_grouped(modules[:count]))


def _grouped(modules: list[tuple[Target, str]]) -> Iterator[Target]:
    for target in TARGETS:
        chosen = tuple(sorted(path for owner, path in modules if owner.name == target.name))
        if chosen:
            yield replace(target, modules=chosen)
