"""`python -m suites.bench.rpc_throughput`: RPC calls of bitvis per second, sent and judged.

Two sides are measured, one after the other in each round: a state machine over one websocket, and the comparison of
every transport. "Bare" is the same websocket without judging and without Hypothesis: the limit of reference and client.

Each call waits for its response, so most of the time is the round trip to the reference, which is long where an idle
core has to wake up. The second column therefore counts calls per second of our own processor time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from fixtures.target_api import Api
from fixtures.targets import embedded_references
from fixtures.transports import transport
from suites import hypothesis_profiles
from suites.bitvis.client import ADDRESS, DEVICE
from suites.bitvis.equivalence import transport_sessions
from suites.bitvis.object_model import ObjectStateMachine
from suites.bitvis.test_equivalence import compare_call_sequences

EXAMPLES = 100
BARE_CALLS = 3_000  # calls
NO_SMTP = "127.0.0.1:9"  # bitvis sends no mail
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints calls per second: medians of the rounds, with the smallest and largest in brackets."""
    parser = argparse.ArgumentParser(prog="python -m suites.bench.rpc_throughput", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    rounds = parser.parse_args(arguments).rounds
    if rounds < 1:
        parser.error(f"--rounds: expected 1 or more, got {rounds}")
    hypothesis_profiles.load_profile(0)
    with embedded_references(["bitvis"], NO_SMTP) as targets:
        api = Api(targets["bitvis"], run="0")
        rounds_of_rates = [{name: _rates(api, side) for name, side in SIDES.items()} for _ in range(rounds)]
    print(f"{'':12} {'calls per second':>24} {'per second of our CPU':>24}")
    for name in SIDES:
        columns = zip(*(rates[name] for rates in rounds_of_rates), strict=True)
        print(f"{name:12}", *(_spread(rates) for rates in columns))
    return 0


def _rates(api: Api, side: Callable[[Api], None]) -> tuple[float, float]:
    before, started, cpu = api.exchange_count, time.perf_counter(), time.process_time()
    side(api)
    calls = api.exchange_count - before
    return calls / (time.perf_counter() - started), calls / (time.process_time() - cpu)


def _spread(rates: Sequence[float]) -> str:
    return f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})".rjust(24)


def _model(api: Api) -> None:
    rpc = transport(api, "websocket")
    limits = settings(max_examples=EXAMPLES, stateful_step_count=25, suppress_health_check=list(HealthCheck))

    class BoundStateMachine(ObjectStateMachine):
        def __init__(self) -> None:
            super().__init__(api, rpc)

    run_state_machine_as_test(BoundStateMachine, settings=limits)
    rpc.close()


def _equivalence(api: Api) -> None:
    sessions = transport_sessions(api)
    compare_call_sequences(api, sessions, ADDRESS, EXAMPLES)
    for session in sessions:
        session.transport.close()


def _bare(api: Api) -> None:
    rpc = transport(api, "websocket")
    for _ in range(BARE_CALLS):
        rpc.call(DEVICE.endpoint, "OPEN", UNKNOWN_ID)
    rpc.close()


SIDES = {"bare": _bare, "model": _model, "equivalence": _equivalence}

if __name__ == "__main__":
    sys.exit(main())
