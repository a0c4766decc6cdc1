"""Load on all four APIs at once: `locust -f loadtests/all.py`.

Each is our reference unless `<API>_URL` names another server; with `--host` they are all there, each under its name.
"""

from __future__ import annotations

from loadtests.bitvis import Bitvis
from loadtests.flowapp import Flowapp
from loadtests.flowback import Flowback
from loadtests.getflow import Getflow

__all__ = ["Bitvis", "Flowapp", "Flowback", "Getflow"]
