"""Notes which files of tests could not be collected."""

from __future__ import annotations

import pytest

COLLECTION_ERRORS = pytest.StashKey["CollectionErrors"]()


class CollectionErrors:
    """A pytest plugin that notes which files could not be collected, in this process or in an xdist worker."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notes a file whose import failed, for example."""
        if report.failed:
            self.messages.append(f"{report.nodeid} could not be collected")
