"""Starting and ending a real engine: what becomes of an installation, a start and an end that go wrong.

Nothing is installed here: programs of the test stand in for npm and for the engine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import deepstream
from fixtures.deepstream import EngineError
from fixtures.deepstream.__main__ import main

Install = Callable[[str], Path]
STARTS = "import time; print('INFO | Deepstream started', flush=True); time.sleep(600)"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a Python program in the engine's place; gives the folder that it may write to."""

    def one(program: str) -> Path:
        path = tmp_path / deepstream.PROGRAM
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(program)
        return tmp_path

    monkeypatch.setattr(deepstream, "installed", lambda: tmp_path)
    monkeypatch.setattr(deepstream, "_node", lambda: [sys.executable])
    return one


def is_running(pid: int) -> bool:
    """Whether that process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_url_is_given_once_the_engine_takes_connections(install: Install) -> None:
    install(STARTS)
    with deepstream.server() as url:
        assert url.startswith("ws://127.0.0.1:")
        assert url.endswith("/deepstream")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_engine_and_all_that_it_started_are_gone_afterwards(install: Install) -> None:
    folder = install(
        "import os, pathlib, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path(__file__).with_name('pids').write_text(f'{{os.getpid()}} {{child.pid}}')\n{STARTS}"
    )
    with deepstream.server():
        pids = [int(pid) for pid in (folder / deepstream.PROGRAM).with_name("pids").read_text().split()]
        assert all(map(is_running, pids))
    until = time.monotonic() + 10
    while any(map(is_running, pids)) and time.monotonic() < until:  # nobody tells when a grandchild has gone
        os.sched_yield()
    assert not any(map(is_running, pids))


def test_node_ends_when_nobody_holds_its_stdin_any_more() -> None:
    program = [*deepstream._node(), "--require", str(deepstream.UNTIL_EOF), "-e", "setInterval(() => 0, 1000)"]
    with subprocess.Popen(program, stdin=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_engine_that_ends_at_once_is_told_with_its_last_words(install: Install) -> None:
    install("raise SystemExit('no such option')")
    with pytest.raises(EngineError, match="did not start:\nno such option"), deepstream.server():
        pass


def test_engine_that_stays_silent_is_given_up(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepstream, "READY_SECONDS", 0.3)
    install("import time; time.sleep(600)")
    with pytest.raises(EngineError, match="did not start:\nit said nothing"), deepstream.server():
        pass


def test_taken_port_is_tried_again_with_another(install: Install) -> None:
    install(
        "import pathlib, sys\n"
        "tries = pathlib.Path(__file__).with_name('tries')\n"
        "before = tries.read_text().split() if tries.exists() else []\n"
        "tries.write_text(' '.join([*before, sys.argv[-1]]))\n"
        f"if not before: raise SystemExit('listen EADDRINUSE')\n{STARTS}"
    )
    with deepstream.server() as url:
        assert url.startswith("ws://")


def test_failed_installation_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepstream, "TREES", tmp_path)
    monkeypatch.setattr(deepstream, "_npm", lambda: [sys.executable, "-c", "raise SystemExit('no registry')"])
    with pytest.raises(EngineError, match="npm ci failed with exit code 1; is npm's registry within reach"):
        deepstream.installed()
    assert list(tmp_path.iterdir()) == []


def test_installation_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    makes = f"import pathlib; p = pathlib.Path({str(deepstream.PROGRAM)!r}); p.parent.mkdir(parents=True); p.touch()"
    monkeypatch.setattr(deepstream, "TREES", tmp_path)
    monkeypatch.setattr(deepstream, "_npm", lambda: [sys.executable, "-c", makes])
    first = deepstream.installed()
    monkeypatch.setattr(deepstream, "_npm", lambda: ["/nowhere"])
    assert deepstream.installed() == first
    assert sorted(path.name for path in first.iterdir()) == [
        "node_modules",
        "package-lock.json",
        "package.json",
        "uWebSockets.js",
    ]


def test_command_finds_the_engine_and_its_exit_code_is_ours(install: Install) -> None:
    install(STARTS)
    script = "import os, sys; sys.exit(7 if os.environ['BITVIS_DEEPSTREAM'].startswith('ws://127.0.0.1:') else 1)"
    assert main([sys.executable, "-c", script]) == 7


def test_without_an_engine_the_command_is_not_run(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("raise SystemExit('no')")
    assert main([sys.executable, "-c", "raise SystemExit(0)"]) == 2
    assert capsys.readouterr().err.startswith("broken: the deepstream engine did not start:\nno")


def test_unknown_command_is_misuse(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(STARTS)
    assert main(["no-such-command"]) == 2
    assert "no-such-command" in capsys.readouterr().err
