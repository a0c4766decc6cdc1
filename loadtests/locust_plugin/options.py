"""The options that flowproof adds to Locust's command line, each with an environment variable of its own."""

from __future__ import annotations

import argparse
import os
from typing import Any

from locust.argument_parser import LocustArgumentParser

from loadtests.engine.arrival_plan import KINDS, parse_rates
from loadtests.locust_plugin.verdict_listeners import DEFAULT_SLO
from loadtests.profiles import load_profile
from loadtests.validation.validators import MODES

VARIABLES = (
    "LOAD_RESULTS",
    "LOAD_JUDGE",
    "LOAD_SLO",
    "LOAD_REQUIRE_TARGET",
    "LOAD_RATE",
    "LOAD_ARRIVALS",
    "LOAD_ARRIVALS_SEED",
    "LOAD_PROFILE",
    "LOAD_PROFILES",
    "LOAD_SCALE",
    "LOAD_PROMETHEUS",
    "LOAD_FROM",
    "LOAD_SPEED",
    "LOAD_WRITES",
)
"""The environment variables of these options."""
STOP_TIMEOUT = 5  # seconds in which users end their journeys, so that what they created is removed


def add_options(parser: LocustArgumentParser, **_: Any) -> None:
    """Adds the options, and sets defaults of Locust's own."""
    _add_arrivals(parser)
    parser.add_argument(
        "--results",
        metavar="DIR",
        default="",
        env_var="LOAD_RESULTS",
        include_in_web_ui=False,
        help="Folder for the figures of the run (default: a new one in reports/out/load)",
    )
    parser.add_argument(
        "--tested-in",
        metavar="DIR",
        default="",
        env_var="LOAD_TESTED_IN",
        include_in_web_ui=False,
        help="Load only the APIs that the pytest run with its results in this folder has tested, and that did answer",
    )
    parser.set_defaults(only_summary=True)  # progress_listeners.py has a line in place of a table every two seconds
    parser.set_defaults(stop_timeout=STOP_TIMEOUT)  # Locust's default is 0, which interrupts running journeys
    parser.add_argument(
        "--judge", default="all", metavar="MODE", env_var="LOAD_JUDGE", help=f"Which responses are validated: {MODES}"
    )
    parser.add_argument(
        "--slo",
        metavar="FILE",
        default="",
        env_var="LOAD_SLO",
        include_in_web_ui=False,
        help="Objectives of the run, which decide the exit code"
        f" (default: {DEFAULT_SLO.parent.name}/{DEFAULT_SLO.name} for journeys of a contract)",
    )
    parser.add_argument(
        "--require-target",
        action="store_true",
        env_var="LOAD_REQUIRE_TARGET",
        include_in_web_ui=False,
        help="Do not start our own references: each API of the run needs --host or <API>_URL",
    )
    parser.add_argument(
        "--prometheus",
        metavar="HOST:PORT",
        default="",
        env_var="LOAD_PROMETHEUS",
        include_in_web_ui=False,
        help="Serve the figures of the run for Prometheus there, at /metrics, such as 127.0.0.1:9646",
    )
    _add_traffic(parser)
    _add_profile(parser)


def _add_traffic(parser: LocustArgumentParser) -> None:
    parser.add_argument(
        "--from",
        dest="from_file",
        metavar="FILE",
        default="",
        env_var="LOAD_FROM",
        include_in_web_ui=False,
        help="Plays the requests of a HAR file or an access log, with loadtests/replay.py as locustfile",
    )
    parser.add_argument(
        "--speed",
        type=_scale_option,
        default=1.0,
        env_var="LOAD_SPEED",
        include_in_web_ui=False,
        help="Plays the traffic of --from so many times as fast",
    )


def _add_arrivals(parser: LocustArgumentParser) -> None:
    parser.add_argument(
        "--rate",
        type=_rate_option,
        default="",
        env_var="LOAD_RATE",
        help="Open model: so many journeys start each second, whether or not earlier ones have ended, shared out by"
        " weight among all classes of users and by number among all workers. 200, or seconds:rate joined by straight"
        " lines, such as 0:10,30:200. --users bounds how many journeys run at once.",
    )
    parser.add_argument(
        "--arrivals",
        choices=KINDS,
        default=KINDS[0],
        env_var="LOAD_ARRIVALS",
        help="How the journeys of --rate are spaced",
    )
    parser.add_argument(
        "--arrivals-seed",
        default="1",
        env_var="LOAD_ARRIVALS_SEED",
        help="The same seed gives the same arrivals of --rate",
    )


def _add_profile(parser: LocustArgumentParser) -> None:
    parser.set_defaults(profile=os.environ.get("LOAD_PROFILE"))  # in Locust, --profile is only a label of the run
    parser.add_argument(
        "--scale",
        type=_scale_option,
        default=1.0,
        env_var="LOAD_SCALE",
        include_in_web_ui=False,
        help="Stretches all times of the --profile by this factor; --rate replaces its rate, --users its users",
    )
    file = load_profile.PROFILES_FILE
    parser.add_argument(
        "--profiles",
        metavar="FILE",
        default=str(file),
        env_var="LOAD_PROFILES",
        include_in_web_ui=False,
        help=f"File with the --profile (default: loadtests/{file.name}: {', '.join(load_profile.read_profiles())})",
    )


def _rate_option(text: str) -> str:
    try:
        if text:
            parse_rates(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _scale_option(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e6:
        raise argparse.ArgumentTypeError(f"expected a number above 0, such as 0.1, got {text!r}")
    return factor
