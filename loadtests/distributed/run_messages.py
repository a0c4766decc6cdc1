"""The messages between a master and its workers, in addition to Locust's own; their names begin with `flow-`.

What a worker must know when it begins (the run, its folder, the worker's name and share) travels among the options of
Locust's own message to spawn users: a worker that has just connected would not receive a custom message yet.
"""

from __future__ import annotations

BEGIN_OPTION = "flow_begin"
SHARE_MESSAGE = "flow-share"  # which part of the arrivals is the worker's
RATE_MESSAGE = "flow-rate"  # other rates from now on
PREPARED_MESSAGE = "flow-prepared"  # from a worker: it has prepared the run
FINISH_MESSAGE = "flow-finish"  # stop the users and send the last line
RESET_MESSAGE = "flow-reset"  # statistics were reset
LINE_MESSAGE = "flow-line"
"""From a worker: its figures of a second without those of operations (`head`), and the whole line as the master writes
it (`text`); sometimes the minute that ended (`minute`), and what the worker's figures add up to so far (`totals`)."""
