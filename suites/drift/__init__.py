"""Regression checks of a target's behaviour against its record: `tox -e drift`.

What belongs here: the test of each operation and call, the options, and what a run leaves when it ends.
"""
