"""Plays recorded traffic as load: `locust -f loadtests/replay.py --headless --from shop.har --host http://…`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from time import perf_counter_ns

from locust.exception import InterruptTaskSet
from locust.user.task import LOCUST_STATE_STOPPING

from loadtests.engine.exchange_types import SECOND
from loadtests.locust_plugin.listeners import register
from loadtests.traffic.traffic_file import shares
from loadtests.user.http_session import HttpSession
from loadtests.user.journey_user import JourneyUser, journey
from loadtests.user.traffic_player import Player

HEAD_START = SECOND // 2  # ns between the start of the user and second 0 of the recording

register()


class Replay(JourneyUser):
    """Plays the share of its worker, once: the first user of each worker does, and any other has nothing to do."""

    plays_traffic = True

    @journey
    def play(self) -> Iterator[float]:
        """Plays until every response has come, and then waits for the end of the run."""
        state, generator = self.run_state, self.run_state.generator
        if state.traffic is not None and not state.players:
            sessions: defaultdict[str, HttpSession] = defaultdict(
                lambda: HttpSession(self.session.address, self.recorder)
            )
            requests = list(shares(state.traffic, generator.index, generator.workers))
            speed = self.environment.parsed_options.speed
            player = Player(requests, speed, sessions, self._virtual_user, self._loop, self._start_delays)
            state.players.append(player)
            player.start(perf_counter_ns() + HEAD_START)
            while not player.is_done:
                yield 0.05
        while self._state != LOCUST_STATE_STOPPING:
            yield 0.05
        raise InterruptTaskSet(reschedule=False)  # type: ignore[no-untyped-call]  # it has no time of its own
