"""Measures how many requests each test sends to our references: `suites/<api>/request_counts.json`.

    python -m suites.request_counts            # some minutes; run it when tests were added or send more
    python -m suites.request_counts --check    # writes nothing: compares what a run announces with what is sent

Rule: a request counts where it is sent, by the pace that a vendor's target has, so that frames and handshakes count.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections import defaultdict
from collections.abc import Generator

import pytest

import contracts
from contracts.openapi import load_contract
from fixtures.corpus.request_fields import needs_mail
from fixtures.targets import embedded_references
from suites.reporting.pace_plugin import PACES
from suites.reporting.request_plan import (
    COUNTS,
    SUITES,
    Counts,
    api_of_node,
    function_of_node,
    planned_requests,
    request_counts,
)

MOST_OVERESTIMATED = 2  # times as many requests as are sent


class RequestCounter:
    """A pytest plugin that counts the requests of each test, by API and test function."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self.node_ids: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Lets every request be sent: our references lock no account."""
        for pace in session.config.stash[PACES].values():
            pace.limits_attempts = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Counts what a test sends from its set-up to its clean-up."""
        api = api_of_node(item.nodeid)
        pace = item.config.stash[PACES][api]
        before = pace.read().sent
        result = yield
        self.node_ids.append(item.nodeid)
        self.counts[api][function_of_node(item.nodeid)].append(pace.read().sent - before)
        return result


def main(arguments: list[str]) -> int:
    """Measures with pytest's `arguments`, such as `-k getflow`; returns pytest's exit code, and 1 for a wrong plan."""
    is_check = "--check" in arguments
    with socket.create_server(("127.0.0.1", 0)) as probe:
        smtp = f"127.0.0.1:{probe.getsockname()[1]}"
    counter = RequestCounter()
    with embedded_references(contracts.apis(), smtp) as targets:
        for api, target in targets.items():
            name = api.upper()
            os.environ |= {f"{name}_URL": target.url, f"{name}_RATE": "0"}
            if needs_mail(load_contract(api)):
                os.environ[f"{name}_SMTP"] = smtp
        options = ["-q", "-p", "no:allure_pytest", "-p", "no:xdist", "-p", "no:cacheprovider"]
        code = pytest.main(
            [*options, *(argument for argument in arguments if argument != "--check")], plugins=[counter]
        )
    if code:
        return int(code)
    wrong = [text for api in counter.counts if (text := check_plan(api, counter))] if is_check else []
    for api, counts in counter.counts.items() if not is_check else ():
        others = request_counts(api) if arguments else {}  # tests that these arguments leave out
        write_counts(api, {**others, **{name: (max(sent), sum(sent)) for name, sent in counts.items()}})
    print(*wrong, sep="\n")
    return int(bool(wrong))


def write_counts(api: str, counts: Counts) -> None:
    """Writes the figures of an API, a line for each test function."""
    lines = [f"{json.dumps(name)}: {list(figures)}" for name, figures in sorted(counts.items())]
    (SUITES / api / COUNTS).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def check_plan(api: str, counter: RequestCounter) -> str:
    """What is wrong with the number of requests that a run of the same tests announces, "" when it is right."""
    planned, unknown = planned_requests(api, counter.node_ids, 1)
    sent = sum(sum(numbers) for numbers in counter.counts[api].values())
    print(f"{api}: announced {planned}, sent {sent}")
    if sent <= planned <= MOST_OVERESTIMATED * sent and not unknown:
        return ""
    return (
        f"{api}: expected {sent} to {MOST_OVERESTIMATED * sent} requests and every test measured, got {planned} and "
        f"{unknown} tests not measured; run `python -m suites.request_counts`"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
