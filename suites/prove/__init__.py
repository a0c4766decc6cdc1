"""Proves the suites: every fault of the references must be blamed on a clause it breaks, and no variant may be blamed.

Rule: what runs here is a pytest run like any other, its own tests and fixtures; only the sockets are left out,
unless a change shows nowhere else.
`python -m suites.prove` is the door.
"""
