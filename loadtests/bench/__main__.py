"""`python -m loadtests.bench load` and `python -m loadtests.bench accuracy`: ours beside the field's tools.

Exit codes: 0 when all was measured, 2 for misuse and when a tool is missing or failed, 130 after ^C.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from loadtests.bench import accuracy, load
from loadtests.bench.process import ROOT, Failed

OUT = ROOT / "reports" / "out" / "bench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one comparison; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__)
    which = parser.add_subparsers(dest="comparison", required=True)
    for module in (load, accuracy):
        one = which.add_parser(module.__name__.rpartition(".")[2], description=module.__doc__)
        module.configure(one)
        one.set_defaults(main=module.main)
        one.add_argument("--out", type=Path, default=OUT, help="folder of the tables (default reports/out/bench)")
    options = parser.parse_args(arguments)
    if sys.platform != "linux":
        parser.error("measuring needs Linux: /proc, epoll and cores of one's own")
    for name in ("rounds", "seconds", "periods"):
        if getattr(options, name, 1) <= 0:
            parser.error(f"--{name}: expected more than 0, got {getattr(options, name):g}")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code: int = options.main(options)
        return code
    except Failed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
