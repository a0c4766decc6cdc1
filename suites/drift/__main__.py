"""`python -m suites.drift`: removes the results of the last drift run, so that a run that never begins is no pass."""

from __future__ import annotations

from suites.drift.drift_plugin import remove_results

if __name__ == "__main__":
    remove_results()
