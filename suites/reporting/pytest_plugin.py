"""Labels each test's result, and writes the manifest of the run.

Rule: a result is written when its test ends, so a run that is killed keeps its results, and `run.json` says that it
is not complete. Secrets are masked before anything is written.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

import contracts
from contracts.asyncapi import Call
from contracts.clauses import meaning_in_force, readings, sentence_and_citation
from contracts.operation import Operation
from fixtures.resources import Resource
from fixtures.target_api import Api
from fixtures.targets import from_environment
from reports.allure.labels import ClauseLabel, add_markers, describe
from reports.allure.staging import RUN_LABEL
from reports.results import run_manifest
from reports.results.acceptances import AcceptanceList
from suites.reporting import broken_contracts
from suites.reporting.failures import ContractViolation

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "reports" / "out" / "allure-results"
RUN = pytest.StashKey[str]()  # id of the run, "" for one that leaves no results
RUN_INPUT = "flowproof_run"  # its name among what an xdist worker is given
TITLE = pytest.StashKey[str]()


def writes_results(config: pytest.Config) -> bool:
    """Whether this run tests targets: self-tests and a list of the tests do not overwrite the last report."""
    is_selftest = any("selftest" in str(argument) for argument in config.args)
    return not is_selftest and not config.option.collectonly


def configure(config: pytest.Config) -> None:
    """Lets Allure write to `reports/out/allure-results`, emptied first, unless --alluredir says otherwise.

    The run begins, under an id that all its processes share. Raises ValueError for a folder that holds other files.
    """
    config.stash[RUN] = ""
    if not config.pluginmanager.has_plugin("allure_pytest") or not writes_results(config):
        return
    if config.option.allure_report_dir is None:
        config.option.allure_report_dir = str(RESULTS)
    if hasattr(config, "workerinput"):
        config.stash[RUN] = config.workerinput[RUN_INPUT]
    else:
        config.stash[RUN] = run_manifest.begin(Path(config.option.allure_report_dir))


def process_name() -> str:
    """The name of this process among those of the run."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def results_folder(config: pytest.Config) -> Path | None:
    """Where this run's results go, None when it writes none."""
    name = getattr(config.option, "allure_report_dir", None)
    return Path(name) if name and writes_results(config) else None


def contract_subject(item: pytest.Item) -> Operation | Call | Resource | None:
    """The operation, call or resource of a contract that parametrizes a test, None for any other test."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return next((value for value in parameters.values() if isinstance(value, Operation | Call | Resource)), None)


def api_name(item: pytest.Item) -> str:
    """The API that a test is about: of its operation, call or resource, else of its folder."""
    subject = contract_subject(item)
    return subject.api if subject else item.path.parent.name


def api_under_test(item: pytest.Item) -> Api | None:
    """The value of a test's fixture `api`, None before it is set up and in a test without it."""
    api = getattr(item, "funcargs", {}).get("api")
    return api if isinstance(api, Api) else None


def marked_ids(item: pytest.Item, marker: str) -> list[str]:
    """The ids that the test's marks of that name have as arguments."""
    return [identifier for mark in item.iter_markers(marker) for identifier in mark.args]


def clauses_of(item: pytest.Item) -> list[str]:
    """The clauses that a test checks: those of its marks, else of its subject.

    An observation checks none, nor does a comparison with recorded behaviour.
    """
    if marked_ids(item, "observation") or item.get_closest_marker("behaviour"):
        return []
    subject = contract_subject(item)
    return marked_ids(item, "clause") or (list(subject.clauses) if subject else [])


def unknown_id(item: pytest.Item) -> str:
    """An error in one line when a mark of the test names an unknown clause or reading, else ""."""
    api = api_name(item)
    marked = [*marked_ids(item, "clause"), *marked_ids(item, "observation")]
    unknown = broken_contracts.unknown_ids(api, marked) if api in contracts.apis() else []
    if not unknown:
        return ""
    return f"{item.nodeid}: expected an id of contracts/{api}, got {unknown[0]}"


def label_items(items: Sequence[pytest.Item]) -> None:
    """Gives every test its labels in the report."""
    for item in items:
        subject = contract_subject(item)
        section = subject.section if isinstance(subject, Operation | Call) else item.path.stem.removeprefix("test_")
        entry = describe(
            api=api_name(item),
            section=section,
            clauses=[ClauseLabel(identifier, *sentence_and_citation(identifier)) for identifier in clauses_of(item)],
            name=getattr(item, "originalname", item.name),
            node=item.nodeid,
            doc=item.function.__doc__ if isinstance(item, pytest.Function) else None,
            operation=subject.label if subject else "",
            case=_case_in_title(item, subject),
        )
        add_markers(item, entry)
        item.stash[TITLE] = dict(entry.labels)["title"]
        item.add_marker(pytest.mark.allure_label(item.config.stash[RUN], label_type=RUN_LABEL))
        if marked_ids(item, "observation"):
            item.add_marker(pytest.mark.allure_label("observation", label_type="kind"))


def title_of(item: pytest.Item) -> str:
    """The test's title in the report."""
    return item.stash.get(TITLE, item.name)


def _case_in_title(item: pytest.Item, subject: Operation | Call | Resource | None) -> str:
    """A test's parameters for its title: only the transport when the title already has the subject."""
    if not hasattr(item, "callspec"):
        return ""
    return str(item.callspec.params.get("transport", "")) if subject else item.callspec.id


def start_manifest(
    config: pytest.Config,
    items: Sequence[pytest.Item],
    bug_kinds: Mapping[str, run_manifest.BugKind],
    acceptances: Mapping[str, AcceptanceList],
) -> None:
    """Writes the manifest of a starting run."""
    results = results_folder(config)
    if results:
        expected = Counter(api_name(item) for item in items)
        broken = broken_contracts.reported(config)
        run_manifest.start(
            results,
            config.stash[RUN],
            expected,
            environment(config),
            broken,
            is_selection(config),
            bug_kinds,
            {api: acceptances[api] for api in expected if api in acceptances},
            bool(config.getini("strict")),
        )


def refuse(config: pytest.Config, error: str) -> None:
    """Writes to the manifest that the run cannot begin, because of that error of the user."""
    results = results_folder(config)
    if results and not hasattr(config, "workerinput") and config.stash.get(RUN, ""):
        run_manifest.refuse(results, config.stash[RUN], error)


def is_selection(config: pytest.Config) -> bool:
    """Whether the user chose some of the tests: by `-k`, `-m`, or by paths other than `suites` itself."""
    paths = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    return bool(config.option.keyword or config.option.markexpr) or paths != [ROOT / "suites"]


def finish_manifest(config: pytest.Config, status: int, problems: Sequence[str]) -> None:
    """Writes to the manifest that the run ended."""
    results = results_folder(config)
    if results and not hasattr(config, "workerinput"):
        run_manifest.finish(results, config.stash[RUN], status, problems)


def environment(config: pytest.Config) -> dict[str, str]:
    """What a reader must know to repeat the run."""
    apis = broken_contracts.working_apis(config)
    fixed = {
        name: meaning_in_force(name, os.environ)
        for api in apis
        for name, reading in readings(api).items()
        if reading.meanings and meaning_in_force(name, os.environ) != reading.default
    }
    return {
        **{f"target of {api}": _target_of(api) for api in apis},
        "effort": config.option.effort,
        "seed": str(config.option.seed),
        "hypothesis profile": os.environ.get("HYPOTHESIS_PROFILE", "ci"),
        "revision": _revision(),
        "python": platform.python_version(),
        "schemathesis": version("schemathesis"),
        **{f"reading {name}": meaning for name, meaning in fixed.items()},
    }


def _target_of(api: str) -> str:
    target = from_environment(api, os.environ)
    return target.url if target else "our reference, embedded"


def _revision() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    described = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "not a git checkout"


def blamed_clauses(item: pytest.Item, error: BaseException) -> list[str]:
    """The clauses that a failure blames: those of the violation, else all that the test checks."""
    return list(error.clauses) if isinstance(error, ContractViolation) else clauses_of(item)
