"""`python -m reports compare A B`: prints what got better or worse from load run A to load run B.

Exit code 1 when anything is worse; 3 when nothing could be compared, a run was cut short or its generator was unfit, or
the runs differ in plan, target, machine or operations; 2 when a folder holds no run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports.load import comparison_text
from reports.load.load_run import NoLoadRun, read_load_run
from reports.load.run_comparison import compare
from reports.results.verdicts import EXIT_CODES


def main(arguments: Sequence[str]) -> int:
    """Print the comparison, and write it to the files that are named; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m reports compare", description="Compares two load runs.")
    parser.add_argument("before", type=Path, metavar="A", help="folder of the run before")
    parser.add_argument("after", type=Path, metavar="B", help="folder of the run after")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the comparison as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the comparison as Markdown")
    options = parser.parse_args(arguments)
    try:
        before, after = read_load_run(options.before), read_load_run(options.after)
    except NoLoadRun as error:
        print(error, file=sys.stderr)
        return EXIT_CODES["broken"]
    comparison = compare(before, after)
    print(*comparison_text.console_lines(comparison), sep="\n")
    forms = {"json": comparison_text.to_json, "markdown": comparison_text.markdown}
    for name, form in forms.items():
        if (path := getattr(options, name)) is not None and not _written(name, path, form(comparison)):
            return EXIT_CODES["misuse"]
    return comparison.exit_code


def _written(option: str, path: Path, text: str) -> bool:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        print(
            f"--{option}: cannot write {path} ({error.strerror}); name a file in a folder that exists", file=sys.stderr
        )
        return False
    return True
