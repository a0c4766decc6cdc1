"""Runs the suites and a load run against each way to misbehave, and checks that they end as that way says.

Rule: real processes on real sockets. A run ends in time, needs little more memory than an honest one, has the exit code
that the way says, names what went wrong, and shows no traceback.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fixtures import reference
from fixtures.misbehaviour.way import PASS, Way
from fixtures.misbehaviour.ways import WAYS
from reports.results.verdicts import EXIT_CODES
from suites.harden.measured_process import ROOT, MeasuredProcess, run_measured

CONTRACT, LOAD = "contract", "load"
MODES = (CONTRACT, LOAD)
HONEST = {"getflow": "honest", "bitvis": "hints_before_the_handshake"}  # API -> the way to compare its memory with
MAX_SECONDS = 60.0  # of a run
MAX_EXTRA_RSS = 300.0  # MiB more than a run against the honest server
KILL_AFTER = 150.0  # seconds: a run that hangs is killed, and fails
SELECTIONS = {  # of the suites: some dozens of requests of several kinds
    "getflow": "getflow and (links_to_the_next or defaults_to or test_content_types)",
    "bitvis": "test_every_frame_receives_one_response or test_data_has_to_be_an_object or test_connections_are_served",
}
PROFILES, OBJECTIVES = Path(__file__).with_name("profiles.yaml"), Path(__file__).with_name("slo.yaml")
TRACEBACK = "Traceback (most recent call last)"


def names() -> list[str]:
    """Every way in each mode, as "way, mode"."""
    return [f"{way}, {mode}" for way in WAYS for mode in MODES]


def run(name: str, folder: Path) -> list[str]:
    """What is wrong with a run against a server of that way."""
    way, mode = WAYS[name.partition(", ")[0]], name.partition(", ")[2]
    expected = way.contract if mode == CONTRACT else way.load
    return list(_problems(_measured(way, mode, folder), expected, _honest_rss(way.api, mode)))


@cache
def _honest_rss(api: str, mode: str) -> float:
    """Peak memory (MiB) of a run against the honest server. Raises RuntimeError when that run is not as expected."""
    with TemporaryDirectory(prefix="flowproof-honest-") as folder:
        process = _measured(WAYS[HONEST[api]], mode, Path(folder))
        problems = list(_problems(process, PASS, None))
        if problems:
            raise RuntimeError(f"the honest run of {api}: {'; '.join(problems)}: {process.output[-2000:]}")
    return process.rss


def _measured(way: Way, mode: str, folder: Path) -> MeasuredProcess:
    folder.mkdir(parents=True, exist_ok=True)
    with bad_server(way, folder / "authority.pem") as url:
        environ = _environment(way, url, folder / "authority.pem")
        return _run_contract(way, folder, environ) if mode == CONTRACT else _run_load(way, folder, environ)


@contextmanager
def bad_server(way: Way, authority: Path) -> Iterator[str]:
    """The URL of a server of that way, in a process of its own; its authority is written to that file."""
    command = [sys.executable, "-m", "fixtures.misbehaviour", "--way", way.name, "--until-eof"]
    command += ["--ca", str(authority)] if way.certificate else []
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"the server did not start: {' '.join(command)}")
        yield json.loads(line)[way.api]
        if process.stdin:
            process.stdin.close()


def _environment(way: Way, url: str, authority: Path) -> dict[str, str]:
    """The environment of a run at that server, without settings of other targets."""
    prefix = way.api.upper()
    settings = {**reference.load(way.api).KNOWN, "URL": url, "WRITES": "1", "RATE": "0"}
    if way.certificate:
        settings["CA"] = str(authority)
    permit = {"LOAD_PERMITTED_BY": f"hardening, {date.today()}"}
    return {**os.environ, **permit, **{f"{prefix}_{name}": value for name, value in settings.items()}}


def _run_contract(way: Way, folder: Path, environ: dict[str, str]) -> MeasuredProcess:
    """The suites' run; its exit code is that of the verdict."""
    results = folder / "results"
    command = ["-m", "pytest", "suites", "-q", "-p", "no:cacheprovider", "--alluredir"]
    command += [str(results), "-k", SELECTIONS[way.api], "--strict"]  # whatever is wrong fails the run
    process = run_measured(command, environ, folder / "pytest.txt", KILL_AFTER)
    judging = ["-m", "reports", "--no-html", "--results", str(results), "--out", str(folder / "out")]
    verdict = run_measured([*judging, "--expect", way.api], environ, folder / "verdict.txt", KILL_AFTER)
    code = verdict.code if process.code >= 0 else process.code
    return MeasuredProcess(code, process.seconds, process.rss, process.output + verdict.output)


def _run_load(way: Way, folder: Path, environ: dict[str, str]) -> MeasuredProcess:
    command = ["-m", "locust", "-f", f"loadtests/{way.api}.py", "--headless", "--profiles", str(PROFILES)]
    command += ["--profile", "hostile", "--slo", str(OBJECTIVES), "--loglevel", "WARNING"]
    command += ["--results", str(folder / "load")]
    return run_measured(command, environ, folder / "load.txt", KILL_AFTER)


def _problems(process: MeasuredProcess, expected: str, honest_rss: float | None) -> Iterator[str]:
    if process.seconds > MAX_SECONDS and honest_rss is not None:
        yield f"expected an end within {MAX_SECONDS:.0f} s"
    if honest_rss is not None and process.rss > honest_rss + MAX_EXTRA_RSS:
        yield f"expected less than {honest_rss + MAX_EXTRA_RSS:.0f} MiB"
    if process.code != EXIT_CODES[expected]:
        yield f"expected {expected}"
    if TRACEBACK in process.output:
        yield "expected no traceback"
    if expected == "unreachable" and "unreachable" not in process.output and "does not answer" not in process.output:
        yield "expected a message that says why"
