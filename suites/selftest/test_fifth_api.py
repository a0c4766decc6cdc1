"""A fifth API is added by new files only: the tutorial of CONTRIBUTING.md, carried out in a copy of the checkout."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("\n## Add an API\n")[2]
FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.search(r"^```sh\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
TOX = re.compile(r"\.venv/bin/tox -e ([\w-]+)(?: -- (.*))?")
IGNORED = shutil.ignore_patterns("__pycache__", "out", ".*", "node_modules")
COPIED = ("contracts", "fixtures", "loadtests", "reports", "suites", "pyproject.toml", "tox.ini", "README.md")

pytestmark = pytest.mark.xdist_group("fifth_api")


def commands(prefix: str) -> list[str]:
    """The tutorial's commands that start so."""
    assert COMMANDS, "the tutorial ends with its commands"
    return [line for line in COMMANDS.group(1).splitlines() if line.startswith(prefix)]


def shell_commands(line: str, folder: Path) -> Iterator[tuple[list[str], bool]]:
    """What a line of the tutorial runs, with whether it has to succeed: tox's commands without tox's environments."""
    if match := TOX.fullmatch(line):
        settings = configparser.RawConfigParser()
        settings.read(ROOT / "tox.ini")
        for command in settings[f"testenv:{match[1]}"]["commands"].strip().splitlines():
            text = command.replace("{posargs}", match[2] or "").replace("{env_tmp_dir}", str(folder / "tmp"))
            yield shlex.split(text.removeprefix("- ")), not text.startswith("- ")
    else:
        yield shlex.split(line.partition(".tox/gate/bin/")[2]), True


def run(line: str, folder: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    """Runs a line of the tutorial in that folder; the output of each command, which a failure shows."""
    outputs = []
    for arguments, must_succeed in shell_commands(line, folder):
        ended = subprocess.run(
            [str(Path(sys.executable).with_name(arguments[0])), *arguments[1:]],
            cwd=folder,
            env={**clean_environment(), "PYTHONPATH": str(folder), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        outputs.append(ended.stdout + ended.stderr)
        assert not must_succeed or ended.returncode == 0, f"{shlex.join(arguments)}: {outputs[-1][-4000:]}"
    return outputs


def clean_environment() -> dict[str, str]:
    """This process's environment without the settings of a pytest run and of targets."""
    return {name: value for name, value in os.environ.items() if not re.match(r"PYTEST|LOCUST|[A-Z]+_URL$", name)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, with the files of the tutorial."""
    folder = tmp_path_factory.mktemp("fifth") / "checkout"
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=IGNORED)
        else:
            shutil.copy2(source, folder / name)
    for path, text in FILE.findall(TUTORIAL):
        assert not (folder / path).exists(), f"{path}: the tutorial edits no existing file"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


@pytest.fixture
def server_url(checkout: Path) -> Iterator[str]:
    """The URL of the new API's reference, served by hand as a server of somebody's own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.reference", "--api", "todo"],
        cwd=checkout, env={**clean_environment(), "PYTHONPATH": str(checkout)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())["todo"]
    finally:
        process.terminate()
        process.wait(30)


def test_the_suite_passes_on_our_reference_and_on_a_named_server(checkout: Path, server_url: str) -> None:
    for environment in ({}, {"TODO_URL": server_url}):
        for line in commands(".tox/gate/bin/"):
            verdict = run(line, checkout, environment)[-1]
        assert re.search(r"^todo +pass +\d+ checks, 6 clauses, 0 findings", verdict, re.MULTILINE), verdict
    manifest = json.loads((checkout / "reports" / "out" / "allure-results" / "run.json").read_text("utf-8"))
    assert server_url in json.dumps(manifest)


def test_the_linter_passes(checkout: Path) -> None:
    run(".tox/gate/bin/ruff check .", checkout)
    run(".tox/gate/bin/ruff format --check .", checkout)


@pytest.mark.parametrize("line", commands(".venv/bin/tox -e prove"))
def test_every_fault_is_caught(checkout: Path, line: str) -> None:
    (output,) = run(line, checkout)
    assert re.search(r"^todo +6 of 6 faults caught, 0 of 0 variants blamed$", output, re.MULTILINE), output


@pytest.mark.parametrize("line", commands("PYTHONPATH=. .tox/gate/bin/locust"))
def test_a_load_run_passes_on_our_reference_and_on_a_named_server(checkout: Path, server_url: str, line: str) -> None:
    for environment in ({}, {"TODO_URL": server_url}):
        (output,) = run(line, checkout, environment)
        assert re.search(r"^load: pass", output, re.MULTILINE), output
    assert "todo" in output


def test_the_tutorial_shows_every_part() -> None:
    folders = {path.split("/")[0] for path, _ in FILE.findall(TUTORIAL)}
    assert folders == {"contracts", "fixtures", "suites", "loadtests"}
