"""Load on all APIs at once: `locust -f loadtests/all.py`.

Each file `loadtests/<api>.py` takes part. A target is our reference unless `<API>_URL` names another server; with
`--host` they are all there, each under its name.
"""

from __future__ import annotations

from loadtests.locust_plugin.listeners import register
from loadtests.user.discovery import user_classes

register()
globals().update(user_classes())  # Locust looks for classes of users among the names of this module
