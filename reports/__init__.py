"""Reports of a run: verdicts, a summary for a CI page and HTML pages, all made from the files of the run.

Rule: pytest and Locust write these files while a run goes on, so they survive a killed run. Nothing else is used,
and a missing result never passes.
"""
