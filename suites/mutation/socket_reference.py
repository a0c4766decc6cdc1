"""A reference behind real sockets, in a thread of this process, for changes that are visible only there.

Rule: it behaves as if `python -m fixtures.reference` served it, without starting a new interpreter. It is stopped
before the process forks; a fork that starts one need not stop it.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.exchange import FRAME, Exchange
from fixtures import reference
from fixtures.reference.protocol import Change, Handler, Reply, Request, World
from fixtures.reference.server import LOOPBACK, App, create_server, listening_socket
from fixtures.target_api import Api
from fixtures.targets import Target

STARTUP_TIMEOUT = 5.0  # seconds
NO_MAIL = (LOOPBACK, 9)  # a port where nobody listens


class SocketReference:
    """The reference of that API with these changes on a free port, and `api` as its client.

    `websocket_count` counts handshakes and exchanges of frames.
    """

    def __init__(
        self,
        name: str,
        changes: Sequence[Change] = (),
        settings: Mapping[str, str] | None = None,
        few_records: bool = False,
        mail: tuple[str, int] = NO_MAIL,
    ) -> None:
        """Raises RuntimeError when it does not start. With `settings` it is somebody's server; `mail` gets its mail."""
        package = reference.load(name)
        world = World(now=lambda: datetime.now(UTC), random=random.Random(f"0/{name}"), few_records=few_records)
        bound = listening_socket()
        ready = threading.Event()
        counting = Change(
            "counts", "variant", (), "Nothing changes.", self._count_handshake, hooks=("open",), needs_socket=True
        )
        app = App({name: package.create(world)}, {name: [counting, *changes]}, mail)
        self._server = create_server(app, ready.set)
        self._thread = threading.Thread(target=self._server.run, args=([bound],), daemon=True)
        self._thread.start()
        if not ready.wait(STARTUP_TIMEOUT):
            raise RuntimeError(f"the reference of {name} did not start within {STARTUP_TIMEOUT:.0f} seconds")
        url = f"http://{LOOPBACK}:{bound.getsockname()[1]}/{name}"
        self.websocket_count = 0
        known = package.KNOWN if settings is None else settings
        self.api = Api(Target(name, url, known, writes=True, embedded=settings is None), run="0")
        self.api.observer = self._count_frame

    def stop(self) -> None:
        """Returns when the server has ended, within about a second."""
        self._server.should_exit = True
        self._thread.join()

    def _count_handshake(self, api: Any, request: Request, answer: Handler) -> Reply:  # noqa: ARG002  # as every change
        self.websocket_count += 1
        return answer(request)

    def _count_frame(self, exchange: Exchange, *_: object) -> None:
        self.websocket_count += exchange.request.method == FRAME
