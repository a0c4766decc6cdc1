"""`python -m loadtests.mailbox`: receives a target's mail by SMTP and hands it out over HTTP, to workers anywhere.

Rule: a journey asks for the mail to an address, and the answer waits until it is there: `GET /ADDRESS` gives its text,
404 after `PATIENCE` seconds. A mail is handed out once; the oldest of too many is dropped. stdout gets one JSON line,
{"smtp": "HOST:PORT", "http": "http://HOST:PORT"}. It ends when its stdin does, and so with whoever started it.
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

from fixtures.mail import parsed
from fixtures.targets import Misuse

ROOT = Path(__file__).parent.parent
LOOPBACK = "127.0.0.1"
PATIENCE = 10.0  # seconds that an answer waits for its mail
MOST = 100_000  # mails that nobody has asked for yet
LARGEST = 1_000_000  # bytes of a mail


class Box:
    """The mails that have come, and who waits for one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._awaited: dict[str, asyncio.Future[str]] = {}

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802  # aiosmtpd calls it so
        """Takes a mail."""
        content = envelope.content or b""
        _, text = parsed(content if isinstance(content, bytes) else content.encode())
        for address in envelope.rcpt_tos:
            waiting = self._awaited.pop(address.casefold(), None)
            if waiting and not waiting.done():
                waiting.set_result(text)
                continue
            self._kept[address.casefold()] = text
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return "250 OK"

    async def take(self, address: str) -> str | None:
        """The mail to that address, None when none comes in time."""
        name = address.casefold()
        if name in self._kept:
            return self._kept.pop(name)
        waiting = self._awaited[name] = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.wait_for(waiting, PATIENCE)
        except TimeoutError:
            return None
        finally:
            if self._awaited.get(name) is waiting:
                del self._awaited[name]


async def _answer(box: Box, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One HTTP connection, request after request."""
    with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        while True:
            line = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0].decode("latin-1")
            text = await box.take(unquote(line.split(" ")[1].lstrip("/")))
            status, body = ("404 Not Found", b"") if text is None else ("200 OK", text.encode())
            head = ("Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}", "", "")
            writer.write("\r\n".join((f"HTTP/1.1 {status}", *head)).encode() + body)
            await writer.drain()
    writer.close()


async def _serve(host: str, port: int) -> None:
    box, loop = Box(), asyncio.get_running_loop()
    session = partial(SMTP, box, loop=loop, hostname="localhost", data_size_limit=LARGEST, enable_SMTPUTF8=True)
    smtp = await loop.create_server(session, host, port, backlog=1024)
    http = await asyncio.start_server(partial(_answer, box), LOOPBACK, 0, backlog=1024)
    where = smtp.sockets[0].getsockname()[1], http.sockets[0].getsockname()[1]
    print(json.dumps({"smtp": f"{host}:{where[0]}", "http": f"http://{LOOPBACK}:{where[1]}"}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def mailbox(smtp: str = f"{LOOPBACK}:0") -> Iterator[dict[str, str]]:
    """A mailbox in a process of its own: {"smtp": …, "http": …}. Raises Misuse when it cannot listen at `smtp`."""
    command = [sys.executable, "-m", "loadtests.mailbox", "--smtp", smtp]
    process = Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise Misuse(process.stderr.read().strip().splitlines()[-1])
        yield json.loads(line)
    finally:
        process.stdin.close()
        with suppress(TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until stdin ends. Exit code 2 when it cannot listen."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.mailbox", description="Hands out a target's mail.")
    parser.add_argument("--smtp", default=f"{LOOPBACK}:0", metavar="HOST:PORT", help="where mail comes (default: any)")
    host, _, port = parser.parse_args(arguments).smtp.rpartition(":")
    try:
        asyncio.run(_serve(host.strip("[]"), int(port)))
    except (OSError, ValueError, OverflowError) as problem:
        parser.exit(2, f"cannot receive mail at {host}:{port} ({problem}); set FLOWBACK_SMTP to a free HOST:PORT\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
