"""`python -m loadtests.fuzz [--inputs N] [--seed N] [--save DIR]`: exit code 0 if every property held, else 1."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

from loadtests.fuzz.fuzz_run import failures

ENOUGH = 20  # failures after which a run gives up


def main(arguments: list[str] | None = None) -> int:
    """Run the inputs, print the failures and save their inputs."""
    options = _options().parse_args(arguments)
    seed = secrets.randbelow(1 << 32) if options.seed is None else options.seed
    print(f"seed {seed}, {options.inputs:,} inputs", flush=True)
    started = time.monotonic()
    failure_count = 0
    for failure in failures(seed, options.inputs):
        failure_count += 1
        print(f"input {failure.number}, {failure.property_check}: {failure.reason}")
        if failure.data is not None:
            options.save.mkdir(parents=True, exist_ok=True)
            path = options.save / f"{failure.property_check}-{seed}-{failure.number}.bin"
            path.write_bytes(failure.data)
            print(f"  saved in {path}: {failure.data[:200]!r}")
        if failure_count == ENOUGH:
            print(f"gave up after {ENOUGH} failures")
            break
    print(f"{failure_count} failures, {time.monotonic() - started:.1f} s; the same seed gives the same inputs")
    return 1 if failure_count else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests.fuzz", description="Fuzzes the load engine.")
    parser.add_argument("--inputs", type=_count, default=1_000_000, help="number of inputs (default: 1,000,000)")
    parser.add_argument(
        "--seed", type=int, help="the same seed gives the same inputs (default: a random one, which is printed)"
    )
    parser.add_argument(
        "--save", type=Path, default=Path(".cache/fuzz"), help="folder for failing inputs (default: .cache/fuzz)"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a positive number, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
