"""Mutation testing of the suites: for every fault a test must blame a clause that it breaks, for a variant none.

Rule: a trial is an ordinary pytest run with the same tests and fixtures, but without sockets unless the change is
visible only there. `python -m suites.mutation` starts it.
"""
