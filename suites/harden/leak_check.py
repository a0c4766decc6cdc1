"""Runs contract and load tests with canaries as secrets against a server that echoes them, and searches all output.

Rule: what is searched for is made here, not by the code that masks: each canary's first characters in every form, in
any case, in every byte that the run printed or wrote.
"""

from __future__ import annotations

import base64
import html
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import quote, quote_plus

import contracts
from fixtures import reference
from fixtures.known_variables import known_settings
from fixtures.targets import embedded_references
from suites.harden.echo_server import echo_server

ROOT = Path(__file__).parents[2]
VISIBLE = 8  # characters of a canary that nobody may see
TOKEN = "Cn{number}-Zq/7+w=xK%41v.{name}"  # a header can hold all of it
PASSWORD = "Pwd{number}Kö7x \"q'/&<{name}"
NAMES = {"TOKEN": TOKEN, "OTHER_TOKEN": TOKEN, "PASSWORD": PASSWORD}
NOBODY = "127.0.0.1:9"  # takes no mail
LOAD_OPTIONS = ("--headless", "--profile", "smoke", "--scale", "0.3", "--loglevel", "DEBUG")
TIMEOUT = 600.0  # seconds for one command


def names() -> list[str]:
    """The APIs, each with all of its tests and a load run."""
    return contracts.apis()


def run(name: str, folder: Path) -> list[str]:
    """The leaks of an API's runs; prints what was searched."""
    result = check(folder, ["-k", name, "--effort", "quick"], [name])
    print(f"    {result.summary()}")
    return result.leaks if result.masked else ["no output has a masked secret: the runs have shown nothing"]


@dataclass
class LeakCheck:
    """What was searched: canaries by the name of their variable, bytes by sink, and each leak in a line; and the sinks
    that have a secret which was masked.
    """

    canaries: Mapping[str, str]
    sinks: dict[str, int] = field(default_factory=dict)
    masked: set[str] = field(default_factory=set)
    leaks: list[str] = field(default_factory=list)

    def search(self, sink: str, content: bytes) -> None:
        """Search one output of a run."""
        text = content.decode(errors="replace").lower()
        self.sinks[sink] = len(content)
        if b"***" in content:
            self.masked.add(sink)
        for variable, canary in self.canaries.items():
            form = next((form for form in beginnings(canary) if form.lower() in text), None)
            if form is not None:
                place = text.index(form.lower())
                shown = text[max(0, place - 60) : place + len(form) + 20]
                self.leaks.append(f"{sink}: {variable} as {form!r} in {shown!r}")

    def summary(self) -> str:
        """The counts in a line."""
        size = sum(self.sinks.values()) / 1e6
        return f"{len(self.canaries)} canaries, {len(self.sinks)} outputs with {size:.1f} MB: {len(self.leaks)} leaks"


def canaries(apis: Iterable[str]) -> dict[str, str]:
    """A secret of its own for each variable of these APIs that holds one."""
    names = [(api, name) for api in apis for name in NAMES if name in known_settings(api)]
    return {
        f"{api.upper()}_{name}": NAMES[name].format(number=number, name=api) for number, (api, name) in enumerate(names)
    }


def beginnings(canary: str) -> Iterator[str]:
    """The first characters of a canary in every form that a text can take."""
    start = canary[:VISIBLE]
    yield from (start, quote(start, safe=""), quote_plus(start), start.encode().hex(), start.encode().hex(" "))
    yield from (ascii(start)[1:-1], repr(start.encode())[2:-1], json.dumps(start)[1:-1], html.escape(start))
    for before in ("", "a", "ab"):
        encoded = base64.b64encode(f"{before}{start}".encode()).decode()
        yield encoded[len(before) + 1 : -4] if before else encoded[:-4]


def settings(apis: Sequence[str], url: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """The environment of a run with these secrets at the server: every API may be written to."""
    variables = {"PYTHONPATH": str(ROOT), "LOAD_PERMITTED_BY": f"hardening, {date.today()}"}
    for api in apis:
        known = {**reference.load(api).KNOWN, "URL": f"{url}/{api}", "WRITES": "1", "RATE": "0"}
        variables |= {f"{api.upper()}_{name}": value for name, value in known.items()}
    prefixes = ("LOAD_", "LOCUST_", *(f"{api.upper()}_" for api in apis))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return {**inherited, **variables, **secrets}


def run_contract(
    folder: Path, environment: Mapping[str, str], arguments: Sequence[str] = ()
) -> Iterator[tuple[str, bytes]]:
    """Run the suites and their report; yields (sink, content) of what they printed. Files are below `folder`."""
    results, junit = folder / "allure-results", folder / "pytest.xml"
    options = [f"--alluredir={results}", f"--junitxml={junit}", "--tb=long", "--showlocals", "-vv", "-rA"]
    yield from _run(["pytest", "suites", "-p", "no:cacheprovider", *options, *arguments], environment, "pytest")
    reports = ["reports", "--results", str(results), "--out", str(folder / "report"), "--no-html"]
    yield from _run(reports, environment, "reports")


def run_load(api: str, folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Run the load test of an API, with every output that Locust has; yields (sink, content) of what it printed."""
    folder.mkdir(parents=True, exist_ok=True)
    outputs = ["--csv", str(folder / "stats"), "--html", str(folder / "locust.html"), "--logfile", str(folder / "log")]
    command = ["locust", "-f", f"loadtests/{api}.py", *LOAD_OPTIONS, "--results", str(folder / "run"), *outputs]
    yield from _run(command, environment, f"locust {api}")


def _run(command: Sequence[str], environment: Mapping[str, str], name: str) -> Iterator[tuple[str, bytes]]:
    run = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, timeout=TIMEOUT, check=False
    )
    yield f"{name} stdout", run.stdout
    yield f"{name} stderr", run.stderr


def check(folder: Path, arguments: Sequence[str] = (), load: Sequence[str] = ()) -> LeakCheck:
    """Run everything below `folder` and search what came of it; `arguments` are pytest's, `load` the APIs to load."""
    apis = contracts.apis()
    result = LeakCheck(canaries(apis))
    known = {secret: _known_value(variable) for variable, secret in result.canaries.items()}
    with embedded_references(apis, NOBODY) as references, echo_server(references[apis[0]].url, known) as url:
        environment = settings(apis, url, result.canaries)
        outputs = [*run_contract(folder, environment, arguments)]
        for api in load:
            outputs += run_load(api, folder / f"load-{api}", environment)
    for sink, content in outputs:
        result.search(sink, content)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            result.search(str(path.relative_to(folder)), path.read_bytes())
    return result


def _known_value(variable: str) -> str:
    """What our reference knows under the name of that variable; something else if it knows nothing."""
    api, _, name = variable.partition("_")
    return reference.load(api.lower()).KNOWN.get(name, "unknown")
