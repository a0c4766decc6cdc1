"""How Hypothesis runs here: the same examples each time in CI, new ones at night, and others for another seed.

Rule: one bug at a time and no search for an explanation; both cost more requests than they tell.
"""

from __future__ import annotations

import os

from hypothesis import Phase, core, settings

PLAIN = {"deadline": None, "database": None, "print_blob": False, "report_multiple_bugs": False}
FINDING = (Phase.explicit, Phase.generate)
NAMES = ("ci", "nightly", "prove")


def load(seed: int) -> None:
    """Loads the profile HYPOTHESIS_PROFILE (default ci). Raises ValueError for a name that is none.

    A seed other than 0 gives other examples, the same ones for the same seed.
    """
    name = os.environ.get("HYPOTHESIS_PROFILE", "ci")
    if name not in NAMES:
        raise ValueError(f"HYPOTHESIS_PROFILE: expected one of {', '.join(NAMES)}, got {name!r}")
    repeat = name != "nightly" and seed == 0
    settings.register_profile("ci", **PLAIN, derandomize=repeat, phases=(*FINDING, Phase.shrink))
    settings.register_profile("nightly", **PLAIN, phases=(*FINDING, Phase.shrink))
    settings.register_profile("prove", **PLAIN, derandomize=repeat, phases=FINDING)
    settings.load_profile(name)
    if seed:
        core.global_force_seed = seed  # what --hypothesis-seed sets
