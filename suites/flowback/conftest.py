"""The group `mail`: its tests run in one worker, the one that has the mailbox; without xdist that means nothing."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark known where xdist is switched off."""
    if not config.pluginmanager.hasplugin("xdist"):
        config.addinivalue_line("markers", "xdist_group(name): tests that must run in one worker")
