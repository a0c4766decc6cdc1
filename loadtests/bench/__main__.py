"""`python -m loadtests.bench load` and `python -m loadtests.bench accuracy`: compares load generators with ours.

Exit codes: 0 when all was measured, 2 for wrong usage and when a tool is missing or failed, 130 after ^C.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from loadtests.bench import accuracy, cost
from loadtests.bench.process import ROOT, ProgramFailed

OUT = ROOT / "reports" / "out" / "bench"
COMPARISONS = {"load": cost, "accuracy": accuracy}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one comparison; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__)
    comparisons = parser.add_subparsers(dest="comparison", required=True)
    for name, module in COMPARISONS.items():
        subparser = comparisons.add_parser(name, description=module.__doc__)
        module.configure(subparser)
        subparser.set_defaults(main=module.main)
        subparser.add_argument("--out", type=Path, default=OUT, help="folder of the tables (default reports/out/bench)")
    options = parser.parse_args(arguments)
    if sys.platform != "linux":
        parser.error("the benchmarks need Linux: they use /proc, epoll and core affinity")
    for option in ("rounds", "seconds", "periods"):
        if getattr(options, option, 1) <= 0:
            parser.error(f"--{option}: expected more than 0, got {getattr(options, option):g}")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code: int = options.main(options)
        return code
    except ProgramFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
