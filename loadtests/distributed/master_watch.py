"""Ends a worker whose master is gone, also before the master has said anything: Locust itself waits for 300 seconds.

Rule: a master that is merely busy, such as with the preparation of a run, still accepts connections. Only a worker that
cannot open any for some seconds, and hears nothing, is alone.
"""

from __future__ import annotations

import logging
import socket
import sys
import time
from contextlib import suppress

import gevent
from locust.runners import WorkerRunner

from fixtures import network_guard
from fixtures.network_routes import resolve
from reports.results.verdicts import EXIT_CODES

SILENCE = 2.0  # seconds since the last heartbeat, which comes every second, after which the master is probed
PATIENCE = 6.0  # seconds without any connection after which the master is gone
PROBE_TIMEOUT = 1.0  # seconds to open a connection

logger = logging.getLogger(__name__)

_connect_to_master = WorkerRunner.connect_to_master


def install() -> None:
    """Watch the master of each worker that this process creates from now on. Calling it again changes nothing."""
    WorkerRunner.connect_to_master = _connect_and_watch  # type: ignore[method-assign] # there is no event before


def _connect_and_watch(runner: WorkerRunner) -> None:
    if runner.retry == 0:
        gevent.spawn(_watch, runner)
    _connect_to_master(runner)  # type: ignore[no-untyped-call] # Locust's


def _watch(runner: WorkerRunner) -> None:
    """Ask every second whether the master is there, until it is not."""
    last_answer = time.monotonic()
    while time.monotonic() - last_answer < PATIENCE:
        gevent.sleep(1)
        if time.time() - (runner.last_heartbeat_timestamp or 0) < SILENCE or accepts(
            runner.master_host, runner.master_port
        ):
            last_answer = time.monotonic()
    reason = (
        f"no master answers at {runner.master_host}:{runner.master_port}: start it first, or name it with"
        " --master-host and --master-port"
    )
    if runner.connection_event.is_set():
        logger.error(reason)
        runner.quit()  # users stop, and the last figures are written
    else:
        print(reason, file=sys.stderr)
        raise SystemExit(EXIT_CODES["broken"])  # gevent raises it in the main greenlet, which waits for the master


def accepts(host: str, port: int) -> bool:
    """Whether something accepts connections there, within a second."""
    network_guard.permit(host, port)
    with suppress(OSError):
        for family, address in resolve(host, port):
            with socket.socket(family, socket.SOCK_STREAM) as sock, suppress(OSError):
                sock.settimeout(PROBE_TIMEOUT)
                sock.connect(address)
                return True
    return False
