"""Runs of flowproof under conditions that it must bear: `python -m suites.harden misbehaviour`, by `tox -e harden`."""
