"""Removes the records that a run has made at somebody's server when the run ends, also by SIGINT or SIGTERM.

Rule: workers only write ledgers; the process that the user started removes what they name, once the workers have ended.
What is left is in `leftovers.json` and in the summary; after SIGKILL `python -m fixtures.cleanup` does the rest.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from contracts.errors import UsageError
from fixtures.cleanup import clean_folder, write_leftovers
from fixtures.http_client import Unreachable
from fixtures.record_ledger import FOLDER, RUN_VARIABLE, RecordLedger, new_ledger
from fixtures.target_api import MissingPrecondition, NotPermitted
from fixtures.targets import Target
from suites.reporting import pytest_plugin

MAX_WAIT = 20.0  # seconds that an interruption waits for a request: more than the time limit of a response
LEDGERS: list[RecordLedger] = []  # of this process
SUMMARY = pytest.StashKey[list[str]]()


def configure(config: pytest.Config) -> None:
    """Names the run for its workers, and lets SIGTERM end it as SIGINT does, once no record is being made."""
    config.stash[SUMMARY] = []
    remover = RecordRemover()
    config.pluginmanager.register(remover, "flowproof_records")
    remover.take_signals()
    if not hasattr(config, "workerinput"):
        os.environ[RUN_VARIABLE] = secrets.token_hex(6)


def ledger_of(target: Target) -> RecordLedger | None:
    """A ledger for that target in this run; None for our reference, whose records vanish with it."""
    if target.is_reference or not target.writes:
        return None
    ledger = new_ledger(target.api, target.url, os.environ[RUN_VARIABLE])
    ledger.on_complete = INTERRUPTION.on_exchange
    LEDGERS.append(ledger)
    return ledger


def summary_lines(config: pytest.Config) -> list[str]:
    """A line for each API on what became of its records."""
    return config.stash.get(SUMMARY, [])


class RecordRemover:
    """A pytest plugin that closes the ledgers, and removes what they name in the process that the user started."""

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}

    def take_signals(self) -> None:
        """Lets SIGINT and SIGTERM end the run once no record is being made; not in a thread, which has no signals."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, INTERRUPTION.on_signal)

    def pytest_unconfigure(self) -> None:
        """Gives the signals back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Runs once the fixtures are torn down and the workers have ended."""
        yield
        while LEDGERS:
            LEDGERS.pop().close()
        if not hasattr(session.config, "workerinput"):
            session.config.stash[SUMMARY] += remove_records(pytest_plugin.results_folder(session.config))


def remove_records(results: Path | None) -> list[str]:
    """Removes the records of this run; returns a line for each API, and why something could not be removed."""
    folder = FOLDER / os.environ[RUN_VARIABLE]
    if not folder.is_dir():
        return []
    try:
        cleaned = clean_folder(folder, os.environ)
    except (UsageError, Unreachable, NotPermitted, MissingPrecondition) as error:
        return [f"records of this run are left ({error}): run python -m fixtures.cleanup when that is changed"]
    if results:
        write_leftovers(results, cleaned)
    return [leftovers.summary(api) for api, leftovers in sorted(cleaned.items())]


class Interruption:
    """Ends the run at SIGINT or SIGTERM, but lets a request end that makes a record, so that its id is known."""

    def __init__(self) -> None:
        self._is_due = False

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Interrupts the run now or after the request; a second signal interrupts it at once."""
        if self._is_due or not any(ledger.is_waiting for ledger in LEDGERS):
            self._is_due = False
            raise KeyboardInterrupt(signal.Signals(number).name)
        self._is_due = True
        timer = threading.Timer(MAX_WAIT, os.kill, [os.getpid(), number])
        timer.daemon = True
        timer.start()

    def on_exchange(self) -> None:
        """Interrupts the run if a signal has come during this exchange."""
        if self._is_due and not any(ledger.is_waiting for ledger in LEDGERS):
            self._is_due = False
            raise KeyboardInterrupt


INTERRUPTION = Interruption()
