"""`python -m suites.bench.rpc`: how many calls of bitvis a second are made and judged, by model and by comparison.

The state machine runs over one websocket, the comparison over every transport there is. "Bare" is the same socket
without a judge and without Hypothesis: what the reference and the client allow. Sides take turns in each round.

Each call waits for its answer, so most of the time is the way to the reference and back, which is long where an idle
core has to be woken; beside it stands what a second of our own processor time would be enough for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from fixtures.api import Api
from fixtures.targets import embedded
from fixtures.transports import transport
from suites import profiles
from suites.bitvis.dialect import ADDRESS, DEVICE
from suites.bitvis.lockstep import sides
from suites.bitvis.model import Machine
from suites.bitvis.test_equivalence import for_all_calls

EXAMPLES = 100
BARE = 3_000  # calls
NO_SMTP = "127.0.0.1:9"  # bitvis sends no mail
NOBODY = "00000000-0000-4000-8000-000000000000"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints calls a second: medians of the rounds, smallest and largest in brackets."""
    parser = argparse.ArgumentParser(prog="python -m suites.bench.rpc", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    rounds = parser.parse_args(arguments).rounds
    if rounds < 1:
        parser.error(f"--rounds: expected 1 or more, got {rounds}")
    profiles.load(0)
    with embedded(["bitvis"], NO_SMTP) as targets:
        api = Api(targets["bitvis"], run="0")
        found = [{name: _rates(api, side) for name, side in SIDES.items()} for _ in range(rounds)]
    print(f"{'':12} {'calls a second':>24} {'a second of our CPU':>24}")
    for name in SIDES:
        print(f"{name:12}", *(_told(rates) for rates in zip(*(one[name] for one in found), strict=True)))
    return 0


def _rates(api: Api, side: Callable[[Api], None]) -> tuple[float, float]:
    before, began, busy = api.count, time.perf_counter(), time.process_time()
    side(api)
    calls = api.count - before
    return calls / (time.perf_counter() - began), calls / (time.process_time() - busy)


def _told(rates: Sequence[float]) -> str:
    return f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})".rjust(24)


def _model(api: Api) -> None:
    rpc = transport(api, "websocket")
    how = settings(max_examples=EXAMPLES, stateful_step_count=25, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lambda: Machine(api, rpc), settings=how)
    rpc.close()


def _equivalence(api: Api) -> None:
    every = sides(api)
    for_all_calls(api, every, ADDRESS, EXAMPLES)
    for side in every:
        side.transport.close()


def _bare(api: Api) -> None:
    rpc = transport(api, "websocket")
    for _ in range(BARE):
        rpc.call(DEVICE.endpoint, "OPEN", NOBODY)
    rpc.close()


SIDES = {"bare": _bare, "model": _model, "equivalence": _equivalence}

if __name__ == "__main__":
    sys.exit(main())
