"""Mutation testing of the suites: for every fault a test must blame a clause that it breaks, for a variant none.

A minimal variant keeps what the document says and nothing else, so clauses that are inferred or public may be blamed.

Rule: a trial is an ordinary pytest run with the same tests and fixtures, but without sockets unless the change is
visible only there. `python -m suites.mutation` starts it.
"""
