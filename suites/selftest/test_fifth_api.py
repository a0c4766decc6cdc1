"""A fifth API is added by new files only: the tutorial of CONTRIBUTING.md, carried out in a copy of the checkout."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from suites.selftest.checkout import clean_environment, copy_checkout

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("\n## Add an API\n")[2]
FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES: dict[str, str] = dict(FILE.findall(TUTORIAL))
ON_OUR_REFERENCE, ON_A_SERVER = (
    block.splitlines() for block in re.findall(r"^```sh\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
)
TOX = re.compile(r"\.venv/bin/tox -e ([\w-]+)(?: -- (.*))?")

pytestmark = [
    pytest.mark.slow(seconds=600),
    pytest.mark.xdist_group("fifth_api"),
    pytest.mark.skipif(any((ROOT / path).exists() for path in FILES), reason="the tutorial was carried out here"),
]


def tox_command(environment: str, block: list[str]) -> str:
    """The tutorial's line for that environment of tox."""
    (line,) = [line for line in block if line.startswith(f".venv/bin/tox -e {environment}")]
    return line


def shell_commands(line: str) -> Iterator[tuple[list[str], bool]]:
    """What a line of the tutorial runs, with whether it has to succeed: tox's commands without tox's environments."""
    if match := TOX.fullmatch(line):
        settings = configparser.RawConfigParser()
        settings.read(ROOT / "tox.ini")
        for command in settings[f"testenv:{match[1]}"]["commands"].strip().splitlines():
            text = command.replace("{posargs}", match[2] or "")
            yield shlex.split(text.removeprefix("- ")), not text.startswith("- ")
    else:
        yield shlex.split(line.partition(".tox/gate/bin/")[2]), True


def run_command(arguments: list[str], folder: Path, environment: Mapping[str, str], must_succeed: bool = True) -> str:
    """The output of a command, which is shown when it fails."""
    ended = subprocess.run(
        [str(Path(sys.executable).with_name(arguments[0])), *arguments[1:]],
        cwd=folder,
        env={
            **clean_environment(),
            "PYTHONPATH": str(folder),
            "PYTHONPYCACHEPREFIX": str(folder / ".bytecode"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    output = ended.stdout + ended.stderr
    assert not must_succeed or ended.returncode == 0, f"{shlex.join(arguments)}: {output[-4000:]}"
    return output


def run(line: str, folder: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    """Runs a line of the tutorial in that folder; returns the output of each command."""
    return [
        run_command(arguments, folder, environment or {}, must_succeed)
        for arguments, must_succeed in shell_commands(line)
    ]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, with the files of the tutorial."""
    folder = tmp_path_factory.mktemp("fifth") / "checkout"
    copy_checkout(folder)
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


@pytest.fixture
def server_settings(checkout: Path) -> Iterator[dict[str, str]]:
    """The settings that name a server of the new API: its reference, served by hand."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.reference", "--api", "todo"],
        cwd=checkout, env={**clean_environment(), "PYTHONPATH": str(checkout)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        url = json.loads(process.stdout.readline())["todo"]
        exported = dict(pair.split("=") for pair in ON_A_SERVER[0].removeprefix("export ").split())
        yield {**exported, "TODO_URL": url}
    finally:
        process.terminate()
        process.wait(30)


def assert_passed(output: str) -> None:
    assert re.search(r"^todo +pass +\d+ checks, 6 clauses, 0 findings", output, re.MULTILINE), output


def test_the_gate_passes_with_load_on_the_new_api(checkout: Path) -> None:
    *_, load, verdict = run(tox_command("gate", ON_OUR_REFERENCE), checkout)
    assert_passed(verdict)
    assert re.search(r"^load: pass", load, re.MULTILINE), load
    verdicts = json.loads((checkout / "reports" / "out" / "load" / "gate" / "verdict.json").read_text("utf-8"))
    assert verdicts["apis"] == ["todo"]


def test_the_suite_and_a_load_run_pass_on_a_named_server(checkout: Path, server_settings: dict[str, str]) -> None:
    (begin, _), (suite, _), *_, (report, _) = shell_commands(tox_command("gate", ON_A_SERVER))
    run_command(begin, checkout, server_settings)
    run_command(suite, checkout, server_settings)
    assert_passed(run_command(report[: report.index("--load")], checkout, server_settings))
    manifest = (checkout / "reports" / "out" / "allure-results" / "run.json").read_text("utf-8")
    (load,) = run(ON_A_SERVER[-1], checkout, server_settings)
    assert re.search(r"^load: pass", load, re.MULTILINE), load
    assert server_settings["TODO_URL"] in manifest


def test_the_linters_pass(checkout: Path) -> None:
    """No existing file imports a new one, so mypy checks the new ones."""
    names = [
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in FILES if path[-3:] == ".py"
    ]
    only_new = ["--follow-imports=silent", *(argument for name in names for argument in ("-m", name))]
    for arguments, _ in shell_commands(tox_command("lint", ON_OUR_REFERENCE), checkout):
        run_command([*arguments, *only_new] if arguments == ["mypy"] else arguments, checkout, {})


def test_the_selftests_of_the_new_api_pass(checkout: Path) -> None:
    (output,) = run(tox_command("selftest", ON_OUR_REFERENCE), checkout)
    assert re.search(r"[0-9]{2,} passed", output), output


def test_every_fault_is_caught(checkout: Path) -> None:
    (output,) = run(tox_command("prove", ON_OUR_REFERENCE), checkout)
    assert re.search(r"^todo +6 of 6 faults caught, 0 of 0 variants blamed$", output, re.MULTILINE), output


def test_the_tutorial_shows_every_part() -> None:
    assert {path.split("/")[0] for path in FILES} == {"contracts", "fixtures", "suites", "loadtests"}
