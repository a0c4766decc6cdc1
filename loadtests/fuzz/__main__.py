"""`python -m loadtests.fuzz [--inputs N] [--seed N] [--save DIR]`: exit code 0 if every claim held, else 1."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

from loadtests.fuzz.hunt import failures

ENOUGH = 20  # failures after which a run gives up


def main(arguments: list[str] | None = None) -> int:
    """Hunt, print what was found, save the inputs."""
    options = _options().parse_args(arguments)
    seed = secrets.randbelow(1 << 32) if options.seed is None else options.seed
    print(f"seed {seed}, {options.inputs:,} inputs", flush=True)
    started = time.monotonic()
    found = 0
    for failure in failures(seed, options.inputs):
        found += 1
        print(f"input {failure.number}, {failure.claim}: {failure.why}")
        if failure.data is not None:
            options.save.mkdir(parents=True, exist_ok=True)
            path = options.save / f"{failure.claim}-{seed}-{failure.number}.bin"
            path.write_bytes(failure.data)
            print(f"  saved in {path}: {failure.data[:200]!r}")
        if found == ENOUGH:
            print(f"gave up after {ENOUGH} failures")
            break
    print(f"{found} failures, {time.monotonic() - started:.1f} s; the same seed gives the same inputs")
    return 1 if found else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests.fuzz", description="Spoiled bytes for the load engine.")
    parser.add_argument("--inputs", type=_count, default=1_000_000, help="how many (1,000,000)")
    parser.add_argument("--seed", type=int, help="the same gives the same inputs; drawn and printed if not given")
    parser.add_argument("--save", type=Path, default=Path(".cache/fuzz"), help="where failing inputs go (.cache/fuzz)")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a positive number, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
