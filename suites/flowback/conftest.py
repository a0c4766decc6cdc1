"""Registers the mark `xdist_group`: tests of the group `mail` share one worker, because it owns the mailbox."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark where pytest-xdist, which defines it, is switched off."""
    if not config.pluginmanager.hasplugin("xdist"):
        config.addinivalue_line("markers", "xdist_group(name): tests that must run in one worker")
