"""A deepstream engine as small as a test needs it: logs in, takes providers, hands calls and answers on.

Rule: its numbers are written here once more, so that a mistake in ours is not its own as well. `twist` may say
something else in place of what it would do with a message.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

Words = dict[str, Any]
Twist = Callable[["TinyEngine", ServerConnection, Words], bool]  # True: it has dealt with the message


@dataclass
class TinyEngine:
    """What it knows: who provides what, who waits for what, and all that it heard."""

    twist: Twist = lambda *_: False
    url: str = ""
    heard: list[Words] = field(default_factory=list)
    providers: dict[str, ServerConnection] = field(default_factory=dict)
    callers: dict[str, ServerConnection] = field(default_factory=dict)
    logins: int = 0

    def talk(self, connection: ServerConnection) -> None:
        """One connection until it ends."""
        try:
            for text in connection:
                message = json.loads(text)
                self.heard.append(message)
                if not self.twist(self, connection, message):
                    self._answer(connection, message)
        except ConnectionClosed:
            return

    def _answer(self, connection: ServerConnection, message: Words) -> None:
        what = message["topic"], message["action"]
        identifier = message.get("correlationId", "")
        if what == (2, 5):
            say(connection, topic=2, action=4)
        elif what == (3, 2):
            self.logins += 1
            say(connection, topic=3, action=3)
        elif what == (6, 8):
            self.providers |= dict.fromkeys(message["names"], connection)
            say(connection, topic=6, action=8, correlationId=identifier, isAck=True)
        elif what == (6, 2) and message["name"] not in self.providers:
            say(connection, topic=6, action=100, name=message["name"], correlationId=identifier)
        elif what == (6, 2):
            self.callers[identifier] = connection
            say(self.providers[message["name"]], **message)
        elif what in ((6, 4), (6, 5), (6, 7)):
            say(self.callers[identifier], **message)


def say(connection: ServerConnection, **words: Any) -> None:
    """One message."""
    connection.send(json.dumps(words))


@contextmanager
def running(twist: Twist = lambda *_: False) -> Iterator[TinyEngine]:
    """An engine on a free port of loopback."""
    engine = TinyEngine(twist)
    server: Server = serve(engine.talk, "127.0.0.1", 0, close_timeout=0.1)  # a client that stays open holds up no test
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    engine.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/deepstream"
    try:
        yield engine
    finally:
        server.shutdown()
        thread.join()
