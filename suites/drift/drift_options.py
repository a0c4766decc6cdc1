"""The options of a drift run: where records are, whether they are written, and which questions are asked.

Rule: behaviour tests take part when they are asked for, by `-m behaviour`, their path or --record, and in any run at a
named target that has a record. A gate without either does not collect them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import contracts
from contracts.errors import UsageError
from fixtures.questions.question import PLAN_SIZES, PlanSize
from fixtures.targets import Target, is_named
from reports.drift.record import Record
from reports.drift.record_files import has_record, read_record

MARK = "behaviour"
OWN_FOLDER = Path("suites") / "drift"
OUT = Path(__file__).parents[2] / "reports" / "out" / "drift"
OBSERVED = "observed"
DEFAULT_PAUSE = 2.0  # seconds before a difference is asked for again
RECORDS = pytest.StashKey[dict[str, Record | None]]()  # by API, what stands in its folder, read once
REFERENCE = "our reference"  # the target in the header of a record of it: its port is another one each time


@dataclass(frozen=True)
class RecordPlace:
    """The record of one API in this run. is_written: whether the run writes it instead of comparing with it."""

    api: str
    folder: Path
    is_written: bool


def add_options(parser: pytest.Parser) -> None:
    """The options. Values are checked by `check_options`, as those of `run_checks` are."""
    group = parser.getgroup("flowproof")
    group.addoption("--record", action="store_true", help="record how targets behave instead of comparing with records")
    group.addoption("--observed", metavar="DIR", help="folder of records, one folder for each API")
    group.addoption("--plan", metavar="SIZE", help=f"questions of behaviour tests: {' or '.join(PLAN_SIZES)}")
    group.addoption("--pause", default=DEFAULT_PAUSE, metavar="S", help="seconds before a change is confirmed (2)")


def check_options(config: pytest.Config) -> None:
    """Raises UsageError for a value that an option cannot have, and for a record that cannot be read."""
    option = config.option
    config.stash[RECORDS] = {}
    if option.plan is not None and option.plan not in PLAN_SIZES:
        raise UsageError(f"--plan: expected {' or '.join(PLAN_SIZES)}, got {option.plan!r}")
    try:
        option.pause = float(option.pause)
    except ValueError:
        option.pause = -1.0
    if not 0 <= option.pause < 3600:
        raise UsageError("--pause: expected a number of seconds from 0 to 3599")
    if option.observed and Path(option.observed).is_file():
        raise UsageError(f"--observed: expected a folder, got the file {option.observed}")


def is_asked_for(config: pytest.Config) -> bool:
    """Whether the user has asked for behaviour tests."""
    named = any(OWN_FOLDER.as_posix() in str(argument).replace(os.sep, "/") for argument in config.args)
    words = (config.option.markexpr or "").split()
    return bool(config.option.record or named or (MARK in words and "not" not in words))


def takes_part(config: pytest.Config, api: str) -> bool:
    """Whether behaviour tests of that API are collected."""
    if is_asked_for(config):
        return True
    return is_named(api, os.environ) and has_record(record_folder(config, api, os.environ))


def record_place(config: pytest.Config, api: str) -> RecordPlace:
    """Where the record of that API is, and whether this run writes it: it does when there is none."""
    folder = record_folder(config, api, os.environ)
    return RecordPlace(api, folder, config.option.record or not has_record(folder))


def record_folder(config: pytest.Config, api: str, environ: Mapping[str, str]) -> Path:
    """DIR/<api> of --observed; else observed/<api> beside the target file; else contracts/<api>/observed, and for our
    own reference a folder that git ignores.
    """
    if config.option.observed:
        return Path(config.option.observed) / api
    target_file = environ.get(f"{api.upper()}_TARGET", "").strip()
    if target_file:
        return Path(target_file).parent / OBSERVED / api
    return contracts.FOLDER / api / OBSERVED if is_named(api, environ) else OUT / OBSERVED / api


def known_record(config: pytest.Config, api: str) -> Record | None:
    """The record of that API, None without one. Raises UsageError for one that cannot be read or is another API's."""
    records = config.stash[RECORDS]
    if api not in records:
        folder = record_folder(config, api, os.environ)
        records[api] = read_record(folder) if has_record(folder) else None
        record = records[api]
        if record is not None and record.header.api != api:
            raise UsageError(f"{folder}: expected a record of {api}, got one of {record.header.api}; see --observed")
    return records[api]


def plan_size(config: pytest.Config, target: Target) -> PlanSize:
    """The size of the plan: of --plan, else of the record, else small at a server that is not our reference."""
    record = known_record(config, target.api)
    sizes = {size: size for size in PLAN_SIZES}
    if config.option.plan:
        return sizes[config.option.plan]
    if record is not None:
        return sizes[record.header.plan_size]  # type: ignore[index]
    return "full" if target.is_reference else "small"


def target_name(target: Target) -> str:
    """How a record names the target."""
    return REFERENCE if target.is_reference else target.url
