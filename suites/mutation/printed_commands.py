"""Runs what findings print as "try it" against the faulty reference and an honest one: the answers must differ.

    python -m suites.mutation.printed_commands --sample 30

Rule: each fault is caught as in mutation testing, in a fork of a prepared session. The command of the finding then runs
in a shell, with the settings of the reference as its variables, at two fresh servers on loopback. What differs between
two honest servers, such as a time or a random id, does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import sysconfig
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest

import contracts
from fixtures import network_guard, reference
from fixtures.reference.protocol import Change
from fixtures.smtp_sink import MailSink
from suites.mutation import trial
from suites.mutation.reference_apis import honest_apis
from suites.mutation.rotating_sample import sample
from suites.mutation.socket_reference import SocketReference
from suites.reporting.result_recorder import RESULTS
from suites.run_checks import APIS_UNDER_TEST

ROOT = Path(__file__).parents[2]
TIME_LIMIT = 60.0  # seconds that a command may take
CURL = "curl"  # a word of every command that this is about
VARYING = (  # times of about now, and ids that are made at random
    r"(?:{0}|{1}|{2})-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.+:Z-]*|(?i:[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})|"
    r"\w{{3}}, \d\d \w{{3}} \d{{4}} \d\d:\d\d:\d\d GMT|\b[0-9a-f]{{16,}}\b"
)
MAILED = re.compile(r"^read -r (\w+)  # the code in the mail to (\S+)$", re.MULTILINE)
READ_MAIL = "{}=$(curl -sS '{}' | grep -oE '[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}' | head -n 1)"
ATTEMPTS = 3  # two references that were started in different minutes show events at different times
DIFFERS, SAME, UNSTABLE, NOT_CAUGHT, NO_CURL = "differs", "same", "unstable", "not caught", "no curl"


@dataclass(frozen=True, slots=True)
class PrintedCommand:
    """What became of a fault's command: one of the outcomes above, the test that printed it, and what came."""

    fault: str
    outcome: str
    test: str = ""
    command: str = ""
    faulty: str = ""
    honest: str = ""


def try_fault(session: pytest.Session, api: str, change: Change) -> PrintedCommand:
    """Catches the fault, and runs the command of the first finding on one of its clauses."""
    name = f"{api}.{change.name}"
    trial.run_change(session, api, change)
    findings = [
        (record.node, finding)
        for record in session.config.stash[RESULTS].findings
        for finding in record.findings
        if finding.clause in change.clauses and finding.command
    ]
    if not findings:
        return PrintedCommand(name, NOT_CAUGHT)
    test, finding = findings[0]
    if CURL not in finding.command:
        return PrintedCommand(name, NO_CURL, test, finding.command)
    for _ in range(ATTEMPTS):
        faulty, *honest = (answer(api, changes, finding.command) for changes in ([change], [], []))
        if honest[0] == honest[1]:
            break
    outcome = UNSTABLE if honest[0] != honest[1] else SAME if faulty == honest[0] else DIFFERS
    return PrintedCommand(name, outcome, test, finding.command, faulty, honest[0])


def answer(api: str, changes: Sequence[Change], command: str) -> str:
    """What the command prints at a fresh reference with these changes, without what varies from server to server."""
    network_guard.permit_loopback()
    with MailSink() as sink:
        host, _, port = sink.address.rpartition(":")
        served = SocketReference(api, changes, mail=(host, int(port)))
        return _output(served, command, sink.share())


def _output(served: SocketReference, command: str, mailbox: str) -> str:
    """What the command prints at that server, which ends with this process."""
    api = served.api.target.api
    command = command.replace("wsdump --eof", "wsdump --raw --eof")  # no prompts between the responses
    command = MAILED.sub(lambda line: READ_MAIL.format(line[1], f"{mailbox}/{line[2]}"), command)
    try:
        url = served.api.target.url
        settings = {f"{api.upper()}_{name}": value for name, value in reference.load(api).KNOWN.items()}
        path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
        ended = subprocess.run(
            ["/bin/sh", "-c", re.sub(rf"(?<=://)127\.0\.0\.1:\d+(?=/{api})", urlsplit(url).netloc, command)],
            env={"PATH": path, **settings},
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        text = (ended.stdout + ended.stderr).decode(errors="backslashreplace").replace(url, "")
        year = datetime.now(UTC).year
        return _without_varying(text, re.compile(VARYING.format(year - 1, year, year + 1)))
    except subprocess.TimeoutExpired:
        return "no end"


def _without_varying(text: str, varying: re.Pattern[str]) -> str:
    """The text with a number for each time and id, the same one for equal ids; times are all alike."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        is_time = match[0].endswith("GMT") or ":" in match[0]
        return "(time)" if is_time else f"(id {numbers.setdefault(match[0], len(numbers))})"

    return varying.sub(number, text)


class CommandRun:
    """A pytest plugin that tries a sample of faults in place of running the tests."""

    def __init__(self, changes: Sequence[tuple[str, Change]]) -> None:
        self.changes = changes
        self.tried: list[PrintedCommand] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Says that no test goes to a target."""
        config.stash[APIS_UNDER_TEST] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Tries each fault in a process of its own."""
        session.config.stash[APIS_UNDER_TEST] = dict(honest_apis())
        trial.note_tests(session)
        with TemporaryDirectory() as folder:
            for api, change in self.changes:
                path = Path(folder) / "tried.json"
                path.unlink(missing_ok=True)
                pid = os.fork()
                if not pid:
                    try:
                        path.write_text(json.dumps(asdict(try_fault(session, api, change))))
                    except BaseException:
                        traceback.print_exc()
                    finally:
                        os._exit(0)
                os.waitpid(pid, 0)
                failed = {"fault": f"{api}.{change.name}", "outcome": NOT_CAUGHT}
                entry = PrintedCommand(**(json.loads(path.read_text()) if path.exists() else failed))
                self.tried.append(entry)
                print(f"{entry.outcome:<10} {entry.fault} {entry.test}", flush=True)
        return True


def try_faults(changes: Sequence[tuple[str, Change]]) -> list[PrintedCommand]:
    """What becomes of the commands of these faults."""
    os.environ["HYPOTHESIS_PROFILE"] = "prove"
    run = CommandRun(changes)
    plain = ["-q", "--strict", "--effort=quick", "--no-header", "--no-summary"]
    plain += [word for name in ("allure_pytest", "cacheprovider", "xdist") for word in ("-p", f"no:{name}")]
    pytest.main([str(ROOT / "suites"), *plain], plugins=[run])
    return run.tried


def http_faults() -> list[tuple[str, Change]]:
    """Every fault that is one of HTTP, by API."""
    apis = [api for api in contracts.apis() if api in reference.apis()]
    return [(api, it) for api in apis for it in reference.load(api).FAULTS.values() if not it.needs_socket]


def main(arguments: Sequence[str] | None = None) -> int:
    """Tries a sample and prints the share of commands that show their fault; the exit code is always 0."""
    parser = argparse.ArgumentParser(prog="python -m suites.mutation.printed_commands", description=__doc__)
    parser.add_argument("--sample", type=int, default=30, metavar="N", help="how many faults")
    parser.add_argument("--only", action="append", default=[], metavar="API.NAME", help="this fault")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what became of each")
    options = parser.parse_args(arguments)
    chosen = [(api, it) for api, it in http_faults() if f"{api}.{it.name}" in options.only]
    tried = try_faults(chosen or sample(http_faults(), options.sample))
    if options.json:
        options.json.write_text(json.dumps([asdict(entry) for entry in tried], indent=1))
    counts = Counter(entry.outcome for entry in tried)
    print(*(f"{outcome}: {number} of {len(tried)}" for outcome, number in counts.most_common()), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
