"""`python -m loadtests.targets.mailbox`: receives a target's mail by SMTP, and hands it out to journeys over HTTP.

Rule: `GET /ADDRESS` waits until there is a mail to that address and responds with its text, or with 404 after
`MAX_WAIT` seconds. A mail is handed out once; if there are too many, the oldest is dropped. The mailbox writes one JSON
line to stdout, {"smtp": "HOST:PORT", "http": "http://HOST:PORT"}, and ends when its stdin does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from urllib.parse import unquote

from aiosmtpd.smtp import SMTP, Envelope, Session

from contracts.errors import UsageError
from fixtures.smtp_sink import parse_mail

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
MAX_WAIT = 10.0  # seconds that a response waits for its mail
MAX_MAILS = 100_000  # mails that were not handed out yet
MAX_MAIL_SIZE = 1_000_000  # bytes of a mail


class MailStore:
    """The mails that have come, and the requests that wait for one."""

    def __init__(self) -> None:
        self._mails: OrderedDict[str, str] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[str]] = {}

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802  # aiosmtpd calls it so
        """Receives a mail."""
        content = envelope.content or b""
        _, text = parse_mail(content if isinstance(content, bytes) else content.encode())
        for address in envelope.rcpt_tos:
            waiting = self._waiting.pop(address.casefold(), None)
            if waiting and not waiting.done():
                waiting.set_result(text)
                continue
            self._mails[address.casefold()] = text
            if len(self._mails) > MAX_MAILS:
                self._mails.popitem(last=False)
        return "250 OK"

    async def take(self, address: str) -> str | None:
        """The mail to that address, None when none comes in time."""
        name = address.casefold()
        if name in self._mails:
            return self._mails.pop(name)
        waiting = self._waiting[name] = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.wait_for(waiting, MAX_WAIT)
        except TimeoutError:
            return None
        finally:
            if self._waiting.get(name) is waiting:
                del self._waiting[name]


async def _respond(store: MailStore, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One HTTP connection, request after request."""
    with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        while True:
            line = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0].decode("latin-1")
            text = await store.take(unquote(line.split(" ")[1].lstrip("/")))
            status, body = ("404 Not Found", b"") if text is None else ("200 OK", text.encode())
            head = ("Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}", "", "")
            writer.write("\r\n".join((f"HTTP/1.1 {status}", *head)).encode() + body)
            await writer.drain()
    writer.close()


async def _serve(host: str, port: int) -> None:
    store, loop = MailStore(), asyncio.get_running_loop()
    session = partial(SMTP, store, loop=loop, hostname="localhost", data_size_limit=MAX_MAIL_SIZE, enable_SMTPUTF8=True)
    smtp = await loop.create_server(session, host, port, backlog=1024)
    http = await asyncio.start_server(partial(_respond, store), LOOPBACK, 0, backlog=1024)
    smtp_port, http_port = (server.sockets[0].getsockname()[1] for server in (smtp, http))
    print(json.dumps({"smtp": f"{host}:{smtp_port}", "http": f"http://{LOOPBACK}:{http_port}"}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def running_mailbox(smtp: str = f"{LOOPBACK}:0") -> Iterator[dict[str, str]]:
    """A mailbox in a process of its own: {"smtp": …, "http": …}. Raises UsageError when it cannot listen at `smtp`."""
    command = [sys.executable, "-m", "loadtests.targets.mailbox", "--smtp", smtp]
    process = Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise UsageError(process.stderr.read().strip().splitlines()[-1])
        yield json.loads(line)
    finally:
        process.stdin.close()
        with suppress(TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until stdin ends. Exit code 2 when it cannot listen."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.targets.mailbox", description="Hands out a target's mail."
    )
    parser.add_argument("--smtp", default=f"{LOOPBACK}:0", metavar="HOST:PORT", help="where mail comes (default: any)")
    host, _, port = parser.parse_args(arguments).smtp.rpartition(":")
    try:
        asyncio.run(_serve(host.strip("[]"), int(port)))
    except (OSError, ValueError, OverflowError) as error:
        parser.exit(2, f"cannot receive mail at {host}:{port} ({error}); set <API>_SMTP to a free HOST:PORT\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
