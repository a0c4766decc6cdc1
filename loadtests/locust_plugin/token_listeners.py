"""Renews tokens that came from a login while a load run goes on, before they run out.

Rule: each process renews its own. Users go on with the old token until there is a new one; requests that were prepared
with the old one are then prepared anew. A renewal that fails is logged and tried again.
"""

from __future__ import annotations

from typing import Any

import gevent
from locust.stats import console_logger

from contracts.errors import UsageError
from fixtures.run_login import LoginUnanswered, RunLogin
from loadtests.distributed.run_state import RunState

USED_SHARE = 0.6  # of the time that a token is valid, after which it is renewed
UNKNOWN_SECONDS = 60.0  # after which one is renewed whose target does not say how long it is valid
RETRY_SECONDS = 5.0  # after a renewal that failed


def on_test_start(state: RunState, **_: Any) -> None:
    """Begins to renew the tokens of the targets that the run has prepared."""
    logins = {id(login): login for prepared in state.prepared.values() if (login := prepared.http_factory.target.login)}
    state.renewals = [gevent.spawn(_renew, state, login) for login in logins.values()]


def on_test_stop(state: RunState, **_: Any) -> None:
    """Ends the renewals."""
    gevent.killall(state.renewals)
    state.renewals = []


def seconds_until_renewal(login: RunLogin) -> float:
    """How long a token just obtained is used."""
    return UNKNOWN_SECONDS if login.seconds is None else USED_SHARE * max(0.0, login.seconds)


def _renew(state: RunState, login: RunLogin) -> None:
    pause = seconds_until_renewal(login)
    while True:
        gevent.sleep(pause)
        try:
            gevent.get_hub().threadpool.apply(login.log_in)
        except (UsageError, LoginUnanswered) as error:
            console_logger.warning(f"{login.api}: the token could not be renewed: {error}")
            pause = RETRY_SECONDS
            continue
        for prepared in state.prepared.values():
            if prepared.http_factory.target.login is login:
                prepared.forget_requests()
        pause = seconds_until_renewal(login)
