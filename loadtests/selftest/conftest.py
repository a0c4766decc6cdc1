"""Tests of the load tests may import Locust, which leaves threads and sockets of the process of the tests as they are.

Generated examples are the same on every run, as in the suites; `HYPOTHESIS_PROFILE=nightly` explores.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from fixtures import network_guard

os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")  # before anything imports Locust; runs of it do without

settings.register_profile("ci", derandomize=True, database=None, deadline=None)
settings.register_profile("nightly", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure() -> None:
    network_guard.install()
    network_guard.permit_loopback()  # the tests start servers of their own
