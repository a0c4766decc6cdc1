"""The process that serves the references, `python -m fixtures.reference`, and its arguments."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.reference import __main__ as command
from fixtures.reference import apis, change_selection
from fixtures.reference.protocol import Change

ROOT = Path(__file__).parents[3]
DEADLINE = 60.0  # seconds; no working server is so slow, however busy the machine is


class Process:
    """A process `python -m fixtures.reference` with these arguments; `urls` are those that it has printed."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fixtures.reference", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.deadline = threading.Timer(2 * DEADLINE, self.process.kill)
        self.deadline.start()
        assert self.process.stdout is not None
        self.urls: dict[str, str] = json.loads(self.process.stdout.readline() or "{}")

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.deadline.cancel()
        self.process.kill()
        self.process.communicate()

    def port(self) -> int:
        return int(re.findall(r":(\d+)/", next(iter(self.urls.values())))[0])

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        """Sends the signal; returns the exit code, the rest of stdout, and stderr."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, out, err


def connection_to(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)


def status(port: int, path: str) -> int:
    with closing(connection_to(port)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def test_the_process_serves_every_api_and_ends_cleanly_at_ctrl_c() -> None:
    with Process() as process:
        assert process.urls == {api: f"http://127.0.0.1:{process.port()}/{api}" for api in apis()}
        responses = [status(process.port(), f"/{api}/no/such/path") for api in apis()]
        assert all(400 <= status < 500 for status in responses)
        assert process.end(signal.SIGINT) == (0, "", "")


def test_sigterm_ends_the_process_though_a_connection_is_open() -> None:
    with Process("--api", apis()[0]) as process, closing(connection_to(process.port())) as connection:
        connection.request("GET", f"/{apis()[0]}/")
        connection.getresponse().read()
        assert process.end(signal.SIGTERM) == (0, "", "")


def test_two_processes_have_their_own_ports_and_a_taken_port_is_reported() -> None:
    with Process("--api", apis()[0]) as first, Process("--api", apis()[-1]) as second:
        assert first.port() != second.port()
        with Process("--port", str(first.port())) as third:
            out, err = third.process.communicate(timeout=DEADLINE)
            (line,) = err.splitlines()
            assert (third.process.returncode, out) == (2, "")
            assert f"--port: expected a free port of 127.0.0.1 (0 to 65535), got {first.port()} " in line
            assert "leave --port out" in line


# Its arguments, with two made-up APIs: `left` and `right`.


def change(name: str, kind: str) -> Change:
    return Change(name, kind, ("TINY-1", "TINY-2"), f"It {name}.", lambda _, request, answer: answer(request))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The arguments of `_serve` for each call of `main`: (servers, changes, smtp, options)."""
    references = {
        api: SimpleNamespace(
            create=lambda world: SimpleNamespace(world=world),
            FAULTS={name: change(name, "fault") for name in ("forgets", f"{api}_shouts")},
            LOAD_FAULTS={},
            VARIANTS={"waits": change("waits", "variant")},
            DRIFTS={"moves": change("moves", "drift")},
        )
        for api in ("left", "right")
    }
    calls: list[tuple[Any, ...]] = []
    for module in (command, change_selection):
        monkeypatch.setattr(module, "apis", lambda: list(references))
        monkeypatch.setattr(module, "load", references.__getitem__)

    def serve(*call: Any) -> int:
        calls.append(call)
        return 0

    monkeypatch.setattr(command, "_serve", serve)
    return calls


def test_without_arguments_every_api_is_honest(served: list[tuple[Any, ...]]) -> None:
    assert command.main([]) == 0
    ((servers, changes, smtp, options),) = served
    assert (list(servers), changes, smtp) == (["left", "right"], {"left": [], "right": []}, ("127.0.0.1", 2525))
    assert (options.port, options.deepstream, options.until_eof) == (0, "", False)


def test_only_the_named_apis_are_served(served: list[tuple[Any, ...]]) -> None:
    command.main(["--api", "right", "--api", "right"])
    assert list(served[0][0]) == ["right"]


def test_changes_are_named_in_full_or_by_a_unique_name(served: list[tuple[Any, ...]]) -> None:
    faults = ["--fault=right.forgets", "--fault=left_shouts", "--fault=left.left_shouts"]
    command.main(["--variant", "left.waits", "--drift", "right.moves", *faults])
    named = {api: [change.name for change in changes] for api, changes in served[0][1].items()}
    assert named == {"left": ["left_shouts", "waits"], "right": ["forgets", "moves"]}


def test_the_same_seed_gives_the_same_random_numbers(served: list[tuple[Any, ...]]) -> None:
    for seed in ("1", "1", "2"):
        command.main(["--seed", seed])
    first, again, other = ([api.world.uuid4() for api in call[0].values()] for call in served)
    assert first == again
    assert len({*first, *other}) == 4


def test_the_world_has_the_present_time(served: list[tuple[Any, ...]]) -> None:
    command.main([])
    assert abs(served[0][0]["left"].world.now().timestamp() - time.time()) < DEADLINE


def test_the_list_names_every_change(served: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list", "--api", "left"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "left: 2 faults",
        "  forgets      TINY-1 TINY-2  It forgets.",
        "  left_shouts  TINY-1 TINY-2  It left_shouts.",
        "",
        "left: 1 variants",
        "  waits  TINY-1 TINY-2  It waits.",
        "",
        "left: 1 drifts",
        "  moves  TINY-1 TINY-2  It moves.",
    ]
    assert served == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--api lefd", "--api: expected one of left, right; got 'lefd'; nearest: left"),
        ("--fault left.forgits", "--fault: expected API.NAME of a fault; got 'left.forgits'; nearest: forgets; --list"),
        ("--fault waits", "--fault: expected API.NAME of a fault; got 'waits'; --list"),
        ("--variant wait", "--variant: expected API.NAME of a variant; got 'wait'; nearest: waits; --list"),
        ("--fault forgets", "--fault: expected one fault; 'forgets' is 2; name one of left.forgets, right.forgets"),
        ("--api left --fault right.forgets", "expected a fault of a served API; got 'right.forgets'; add --api right"),
        ("--smtp localhost", "--smtp: expected HOST:PORT; got 'localhost'; say for example 127.0.0.1:2525"),
        ("--smtp localhost:99999", "--smtp: expected HOST:PORT; got 'localhost:99999'"),
        ("--smtp :25", "--smtp: expected HOST:PORT; got ':25'"),
        ("--port web", "argument --port: invalid int value: 'web'; --help"),
        ("--sede 1", "unrecognized arguments: --sede 1; --help"),
    ],
)
def test_a_usage_error_is_one_line(
    served: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(arguments.split())
    (line,) = capsys.readouterr().err.splitlines()
    assert (end.value.code, served) == (2, [])
    assert message in line


def test_a_reader_may_close_the_list_early() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "fixtures.reference", "--list"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as listing:
        assert listing.stdout is not None
        listing.stdout.close()
        _, err = listing.communicate(timeout=DEADLINE)
    assert (listing.returncode, err) == (0, b"")
