"""Benchmark: distinct requests per second sent and judged, by our conformance suite and by stock Schemathesis.

Rule: both sides test the same reference over sockets, each in its own process with one worker, and the same counter
inside the server counts their requests. `python -m suites.bench` starts it. The package is part of `suites` because
it calls their checks, which no other package may import.
"""
