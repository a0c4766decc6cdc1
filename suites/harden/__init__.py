"""Checks that a run stays true and harmless whatever people and servers do: misuse, outages, leaks, kills."""
