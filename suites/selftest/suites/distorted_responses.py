"""`python -m suites.selftest.suites.distorted_responses API SEED`: tests responses with a wrong member.

Each response of the reference has one of its members renamed, left out or given another type, chosen by the seed.
Prints a JSON list of the tests that ended in an error of ours, each with the last line of its message.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures import reference
from fixtures.reference.protocol import Change, Handler, Reply, Request
from suites.mutation import trial
from suites.run_checks import APIS_UNDER_TEST

ROOT = Path(__file__).parents[3]
NAME = "distorted"
OTHER_TYPES: tuple[Any, ...] = (7, "seven", True, None, 1.5, [], ["a"], {}, {"a": 1})
QUIET = ("-q", "-p", "no:allure_pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--no-summary")


def rename(holder: dict[str, Any], name: str, _: random.Random) -> None:
    """Gives the member another name."""
    holder[f"{name}_"] = holder.pop(name)


def leave_out(holder: dict[str, Any], name: str, _: random.Random) -> None:
    """Leaves the member out."""
    del holder[name]


def retype(holder: dict[str, Any], name: str, choice: random.Random) -> None:
    """Gives the member a value of another type."""
    holder[name] = choice.choice([value for value in OTHER_TYPES if type(value) is not type(holder[name])])


DISTORTIONS: tuple[Callable[[dict[str, Any], str, random.Random], None], ...] = (rename, leave_out, retype)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within the value that has a member."""
    if isinstance(value, dict):
        if value:
            yield value
        for member in value.values():
            yield from objects(member)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def distorting(seed: int) -> Change:
    """A variant of which every JSON response has one wrong member."""
    choice = random.Random(seed)

    def behaviour(_: Any, request: Request, handler: Handler) -> Reply:
        reply = handler(request)
        try:
            body = json.loads(reply.body)
        except ValueError:
            return reply
        names = sorted({name for holder in objects(body) for name in holder})
        if names:
            name, distort = choice.choice(names), choice.choice(DISTORTIONS)
            for holder in [holder for holder in objects(body) if name in holder]:
                distort(holder, name, choice)
            reply.set_json(body)
        return reply

    return Change(NAME, "variant", (), "One member of each response is wrong.", behaviour)


class DistortedRun:
    """A pytest plugin that runs the tests of an API against its reference with distorted responses."""

    def __init__(self, api: str, seed: int) -> None:
        self.api, self.change = api, distorting(seed)
        self.broken: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Says that no test goes to a target on sockets."""
        config.stash[APIS_UNDER_TEST] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Runs the tests, after the honest references are there for tests that compare."""
        reference.load(self.api).VARIANTS[NAME] = self.change
        session.config.stash[APIS_UNDER_TEST] = dict(trial.honest_apis())
        trial.note_tests(session)
        result = trial.run_change(session, self.api, self.change)
        self.broken = [
            f"{it.test}: {[line for line in it.message.splitlines() if line.strip()][-1]}"
            for it in result.complaints
            if it.broken
        ]
        print(f"{len(result.complaints)} complaints, {result.skipped} skipped, {result.seconds:.0f} s", file=sys.stderr)
        return True


def main(api: str, seed: str, *arguments: str) -> int:
    """Prints the errors of ours; returns 0 when there are none."""
    os.environ["HYPOTHESIS_PROFILE"] = "prove"
    run, output = DistortedRun(api, int(seed)), sys.stdout
    sys.stdout = sys.stderr
    code = pytest.main([*(arguments or [str(ROOT / "suites")]), "-k", api, "--effort", "quick", *QUIET], plugins=[run])
    print(json.dumps(run.broken, indent=1), file=output)
    return int(bool(run.broken) or code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
