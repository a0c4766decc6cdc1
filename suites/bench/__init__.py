"""How many distinct requests a second are sent and judged: our conformance suite beside stock Schemathesis.

Rule: both sides meet the same reference over real sockets, in a process of their own with one worker, and one
counter inside the server counts for both. `python -m suites.bench` is the door. It stands among the suites since it
runs their judging functions, which nothing below them may import.
"""
