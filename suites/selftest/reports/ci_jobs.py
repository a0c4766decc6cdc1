"""The jobs that `reports/ci/` has for GitHub Actions and GitLab CI, as shell commands that can be run anywhere.

Rule: commands run as they are printed. Only what a CI server does is done here instead: expressions get their values,
and `.venv/bin/tox` runs the commands of tox.ini with the packages that are installed already.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from suites.selftest.checkout import clean_environment

ROOT = Path(__file__).parents[3]
WORKFLOW, GITLAB = ROOT / "reports" / "ci" / "github-actions.yml", ROOT / "reports" / "ci" / "gitlab-ci.yml"
ACTION = ROOT / ".github" / "actions" / "flowproof" / "action.yml"
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -q tox-uv"  # the README's; not run here
EXPRESSION = re.compile(r"\$\{\{ *([\w.]+) *\}\}")
TOX = f"""#!{sys.executable}
import configparser, shlex, subprocess, sys
from pathlib import Path
words = sys.argv[1:]
split = words.index("--")
first, rest = words[:split], words[split + 1:]
settings = configparser.RawConfigParser()
settings.read("tox.ini")
lines = settings["testenv:" + first[-1]]["commands"].strip().splitlines()
lines = [shlex.join(rest)] if first[0] == "exec" else [line.replace("{{posargs}}", shlex.join(rest)) for line in lines]
for line in lines:
    program, *arguments = shlex.split(line.removeprefix("- "))
    code = subprocess.run([Path(sys.executable).with_name(program), *arguments]).returncode
    if code and not line.startswith("- "):
        sys.exit(code)
"""


class Job(NamedTuple):
    """A job. environment: its variables; commands: with the variables of each; artifacts: globs from the checkout."""

    environment: dict[str, str]
    commands: list[tuple[str, dict[str, str]]]
    artifacts: list[str]


def github_job(name: str, values: Mapping[str, str], select: str) -> Job:
    """That job of the workflow, with the steps of the action; `select` narrows its selection of tests."""
    job = yaml.safe_load(WORKFLOW.read_text())["jobs"][name]
    (given,) = [step["with"] for step in job["steps"] if "flowproof@" in step["uses"]]
    action = yaml.safe_load(ACTION.read_text())
    inputs = {key: str(value["default"]) for key, value in action["inputs"].items()} | given
    if inputs["select"]:
        inputs["select"] = f"{inputs['select']} and {select}"
    known = {f"secrets.{key}": value for key, value in values.items()}
    known |= {f"secrets.STAGING_{key}": value for key, value in values.items()}
    known |= {f"inputs.{key}": value for key, value in inputs.items()} | {"steps.flowproof.outputs.folder": "."}
    steps = [step for step in action["runs"]["steps"] if _is_wanted(str(step.get("if", "always()")), inputs)]
    (upload,) = [step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")]
    commands = [
        (step["run"], _evaluated(step.get("env", {}), known))
        for step in steps
        if "run" in step and "GITHUB_OUTPUT" not in step["run"] and step["run"] != INSTALL
    ]
    environment = _evaluated(job["env"], known) | {key: value for key, value in values.items() if key in job["env"]}
    return Job(environment, commands, _text(upload, known).split())


def _is_wanted(condition: str, inputs: Mapping[str, str]) -> bool:
    """Whether a step with that condition runs in a job in which nothing has failed."""
    comparisons = re.findall(r"inputs\.(\w+) (==|!=) ''", condition)
    return all((inputs[name] == "") == (operator == "==") for name, operator in comparisons)


def _evaluated(variables: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    return {name: _text(str(value), known) for name, value in variables.items()}


def _text(text: str, known: Mapping[str, str]) -> str:
    """The text with the value of each expression; one that is not known is empty, as on GitHub."""
    return EXPRESSION.sub(lambda match: known.get(match[1], ""), text)


def gitlab_job(name: str, values: Mapping[str, str], select: str) -> Job:
    """That job of the pipeline, with what it extends; settings that it does not name are variables of the project."""
    content = yaml.safe_load(GITLAB.read_text())
    template, job = content[".flowproof"], content[name]
    variables = {key: str(value) for key, value in job["variables"].items()} | values
    if "SELECT" in variables:
        variables["SELECT"] += f" and {select}"
    return Job(
        variables,
        [(command, {}) for command in job["script"]],
        [path.removeprefix("flowproof/") for path in template["artifacts"]["paths"]],
    )


def gitlab_preparation() -> list[str]:
    """The commands before each script of GitLab's jobs, without the installation."""
    commands: list[str] = yaml.safe_load(GITLAB.read_text())[".flowproof"]["before_script"]
    return [command for command in commands if command != INSTALL]


def run_job(job: Job, checkout: Path, environment: Mapping[str, str]) -> Iterator[subprocess.CompletedProcess[str]]:
    """Runs each command of the job in that checkout."""
    for command, variables in job.commands:
        yield run_shell(command, checkout, {**job.environment, **variables, **environment})


def run_shell(command: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a command as both CI servers do: by bash, which stops at the first error."""
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=folder,
        env={**clean_environment(), "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def install_tox(checkout: Path) -> None:
    """Puts what stands for tox into the checkout."""
    program = checkout / ".venv" / "bin" / "tox"
    program.parent.mkdir(parents=True)
    program.write_text(TOX)
    program.chmod(0o755)


def matching_files(checkout: Path, globs: Sequence[str]) -> dict[str, list[str]]:
    """The files of each glob, as a CI server uploads them: of a folder all in it, and none that is hidden."""
    matches: dict[str, list[str]] = {}
    for glob in globs:
        paths = [entry for path in checkout.glob(glob) for entry in (path, *path.rglob("*"))]
        names = [os.path.relpath(path, checkout) for path in paths if path.is_file()]
        matches[glob] = [name for name in names if not any(part.startswith(".") for part in Path(name).parts)]
    return matches
