"""A reference behind real sockets, in a thread of this process: for changes that show nowhere else.

Rule: it is as if `python -m fixtures.reference` served it, without the time that a new interpreter takes. It has ended
before anybody forks; a fork that serves need not end it.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.exchange import FRAME, Exchange
from fixtures import reference
from fixtures.api import Api
from fixtures.reference.protocol import Answer, Change, Reply, Request, World
from fixtures.reference.server import LOOPBACK, App, listener, server
from fixtures.targets import Target

START = 5.0  # seconds
NO_MAIL = (LOOPBACK, 9)  # where nobody listens


class Served:
    """The reference of that API with these changes on a free port, and `api` as its client.

    `spoken` counts what was done by websocket: handshakes, and exchanges of frames.
    """

    def __init__(self, name: str, changes: Sequence[Change] = ()) -> None:
        """Raises RuntimeError when it does not start."""
        package = reference.load(name)
        world = World(now=lambda: datetime.now(UTC), random=random.Random(f"0/{name}"))
        bound = listener()
        ready = threading.Event()
        counting = Change("counts", "variant", (), "Nothing changes.", self._counted, on=("open",), wire=True)
        app = App({name: package.create(world)}, {name: [counting, *changes]}, NO_MAIL)
        self._server = server(app, ready.set)
        self._thread = threading.Thread(target=self._server.run, args=([bound],), daemon=True)
        self._thread.start()
        if not ready.wait(START):
            raise RuntimeError(f"the reference of {name} did not start within {START:.0f} seconds")
        url = f"http://{LOOPBACK}:{bound.getsockname()[1]}/{name}"
        self.spoken = 0
        self.api = Api(Target(name, url, package.KNOWN, writes=True, embedded=True), run="0")
        self.api.observe = self._observed

    def end(self) -> None:
        """Returns when it has ended, within about a second."""
        self._server.should_exit = True
        self._thread.join()

    def _counted(self, api: Any, request: Request, answer: Answer) -> Reply:  # noqa: ARG002  # the shape of a change
        self.spoken += 1
        return answer(request)

    def _observed(self, exchange: Exchange, *_: object) -> None:
        self.spoken += exchange.sent.method == FRAME
