"""Hypothesis settings of a run: the same examples each time in CI, new ones at night, others for another seed.

Rule: one failure at a time and no search for an explanation; both cost more requests than they are worth.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial

from hypothesis import Phase, core, settings

PROFILES = ("ci", "nightly", "prove")
MIN_EXAMPLES = 3
SEARCH_PHASES = (Phase.explicit, Phase.generate)
profile = partial(settings, deadline=None, database=None, print_blob=False, report_multiple_bugs=False)


@dataclass
class _Examples:
    """How many of the examples that a property asks for are tried, as a share."""

    share: float = 1.0


_EXAMPLES = _Examples()


def number_of_examples(asked_for: int) -> int:
    """How many examples a property gets that asks for so many: at least MIN_EXAMPLES of them."""
    return min(asked_for, max(MIN_EXAMPLES, round(asked_for * _EXAMPLES.share)))


def load_profile(seed: int, share: float = 1.0) -> None:
    """Loads the profile HYPOTHESIS_PROFILE (default ci). Raises ValueError for a name that is none.

    A seed other than 0 gives other examples, and the same ones each time. share: of the examples asked for.
    """
    _EXAMPLES.share = share
    name = os.environ.get("HYPOTHESIS_PROFILE", "ci")
    if name not in PROFILES:
        raise ValueError(f"HYPOTHESIS_PROFILE: expected one of {', '.join(PROFILES)}, got {name!r}")
    repeats = name != "nightly" and seed == 0
    settings.register_profile("ci", profile(derandomize=repeats, phases=(*SEARCH_PHASES, Phase.shrink)))
    settings.register_profile("nightly", profile(phases=(*SEARCH_PHASES, Phase.shrink)))
    settings.register_profile("prove", profile(derandomize=repeats, phases=SEARCH_PHASES))
    settings.load_profile(name)
    if seed:
        vars(core)["global_force_seed"] = seed  # as the option --hypothesis-seed does
