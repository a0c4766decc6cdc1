"""Runs of the real `locust` command on small locustfiles, as its users start them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import contracts
from contracts.openapi import load_contract
from fixtures import reference
from fixtures.fork_server import ForkServer, fork_server

ROOT = Path(__file__).parents[2]
PATIENCE = 240.0  # seconds until a run that does not end, or an event that does not come, is a failure

Lines = list[dict[str, Any]]

IMPORTED = ("locust.main", "loadtests.locust_plugin.listeners", "loadtests.user.contract_user", "reports.__main__")

UNTIL_TOLD = """
from pathlib import Path
from locust import LoadTestShape

class UntilTold(LoadTestShape):
    def tick(self):
        return None if Path({path!r}).exists() else ({users}, {users})
"""


def until_told(folder: Path, users: int) -> str:
    """A load shape of so many users, to be added to a locustfile: the run ends when `tell_to_end` is called."""
    return UNTIL_TOLD.format(path=str(folder / "end"), users=users)


def tell_to_end(folder: Path) -> None:
    """End the run whose locustfile has `until_told`."""
    (folder / "end").touch()


def prepare() -> None:
    """Imports what each run of Locust imports, and loads the contracts."""
    for name in IMPORTED:
        import_module(name)
    for api in contracts.apis():
        load_contract(api)


def server() -> ForkServer:
    """The process that the runs are forked from."""
    return fork_server(f"{__name__}:prepare")


def clean_environment() -> dict[str, str]:
    """This process's environment without the settings of load runs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "LOAD_"))}


def output_of(command: str, api: str) -> str:
    """What a printed command prints in a shell, with the settings of the API's reference in the variables."""
    settings = {f"{api.upper()}_{name}": value for name, value in reference.load(api).KNOWN.items()}
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": os.environ.get("HOME", "/"), **settings}
    ended = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT, env=environ, capture_output=True, timeout=PATIENCE, check=False
    )
    return (ended.stdout + ended.stderr).decode(errors="replace")


class LocustRun:
    """A run of Locust: its folder and what it printed."""

    def __init__(self, folder: Path, url: str, text: str, options: str, settings: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        locustfile = folder / "locustfile.py"
        locustfile.write_text(text)
        self.results = folder / "run"
        self._output = folder / "output.txt"
        arguments = ["-f", str(locustfile), "--host", url, *options.split()]
        environ = clean_environment() | {"LOAD_RESULTS": str(self.results), **settings}
        with self._output.open("wb") as output:
            self.process = server().start("locust", arguments, environ, output, output)

    def wait(self) -> int:
        """The exit code, when it has ended."""
        return self.process.wait(PATIENCE)

    @property
    def has_ended(self) -> bool:
        """Whether the run is over, so that nothing more comes of it."""
        return self.process.poll() is not None

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def result(self) -> dict[str, Any]:
        """What `result.json` says."""
        known: dict[str, Any] = json.loads((self.results / "result.json").read_text())
        return known

    def lines(self, name: str = "seconds.jsonl") -> Lines:
        """The complete lines of a file of figures; a line that a killed process was writing is left out."""
        path = self.results / name
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def requests(self) -> dict[str, int]:
        """How many requests each operation made, by the result."""
        return {operation["operation"]: operation["summary"]["requests"] for operation in self.result["operations"]}

    def workers(self) -> list[int]:
        """The process ids of the workers that the master forked, in no order."""
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def kill(self) -> None:
        """Kill every process of this run."""
        if group_alive(self.process.pid):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextmanager
def running_locust(folder: Path, url: str, text: str, options: str, **settings: str) -> Iterator[LocustRun]:
    """A run with these variables set, which is ended by force, if need be, when the block ends."""
    run = LocustRun(folder, url, text, options, settings)
    try:
        yield run
    finally:
        run.kill()


def finished_run(folder: Path, url: str, text: str, options: str) -> LocustRun:
    """A run that has ended by itself; its exit code is in `process.returncode`."""
    with running_locust(folder, url, text, options) as run:
        run.wait()
    return run


def distributed_options() -> str:
    """Options for two workers whose master listens where nobody else does."""
    port = free_port()
    return f"--processes 2 --master-bind-host 127.0.0.1 --master-bind-port {port} --master-port {port}"


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], event: str, seconds: float = PATIENCE) -> Any:
    """What `condition` returns once it is truthy. Raises TimeoutError that names the expected event."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {event}")
        time.sleep(0.02)
    return value


def alive(pid: int) -> bool:
    """Whether that process runs; a zombie does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def group_alive(group: int) -> bool:
    """Whether any process of that group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def total_count(lines: Lines, series: str = "corrected") -> int:
    """How many durations are in all lines together."""
    return sum(
        operation[series]["count"] for line in lines for operation in line.get("operations", ()) if series in operation
    )


def printed_requests(output: str) -> int:
    """The number of requests in the last summary that Locust printed."""
    return int(re.findall(r"^ +Aggregated +(\d+)", output, re.MULTILINE)[-2])
