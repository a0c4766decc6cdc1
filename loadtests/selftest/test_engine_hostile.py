"""The fuzzer finds no violation in the engine, and finds one in an engine with a fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fixtures.http1 import chunked_body, response_head
from fixtures.websocket import frame_reader
from fixtures.websocket.frame_reader import FrameReader
from loadtests.engine.http_connection import HttpConnection
from loadtests.engine.websocket_connection import WebsocketConnection
from loadtests.fuzz.__main__ import main
from loadtests.fuzz.fuzz_run import failures
from loadtests.fuzz.shrinker import shrink

SEED, INPUTS = 7, 12_000


def test_no_property_is_violated() -> None:
    assert list(failures(SEED, INPUTS)) == []


def nothing(*_: object) -> None:
    """Instead of something that the engine does for a reason."""


WORSE: dict[str, tuple[object, str, object]] = {
    "bytes behind an response are let pass": (HttpConnection, "close_as_broken", nothing),
    "messages behind an response are let pass": (WebsocketConnection, "_refuse_unsolicited", nothing),
    "frames are not checked": (FrameReader, "_check_first_byte", nothing),
    "text is not checked": (frame_reader, "is_utf8", lambda _: True),
    "connections are always kept": (response_head, "_keep_alive", lambda *_: True),
    "lengths are ignored": (response_head, "_body_length", lambda *_: 0),
    "sizes of chunks are not checked": (chunked_body, "_SIZE_LINE", re.compile(rb"([0-9A-Fa-f]+)[^\r]*")),
}


@pytest.mark.parametrize("case", WORSE)
def test_a_faulty_engine_is_detected(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    response_head.cached_heads.clear()
    monkeypatch.setattr(*WORSE[case])
    failure_count = next(failures(SEED, INPUTS), None)
    response_head.cached_heads.clear()
    assert failure_count is not None


def test_a_failing_input_is_minimized() -> None:
    data = b"a lot before \r\n\r\n a lot behind, and one : more"
    assert shrink(data, lambda less: b"\n\r" in less and b":" in less) == b"\n\r:"


def test_a_violation_is_printed_with_its_seed_and_saved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(response_head, "_body_length", lambda *_: 0)
    assert main(["--inputs", "500", "--seed", "3", "--save", str(tmp_path)]) == 1
    response_head.cached_heads.clear()
    printed = capsys.readouterr().out
    saved = [path.name for path in tmp_path.iterdir()]
    assert "seed 3, 500 inputs" in printed
    assert saved
    assert all(name.startswith("http-3-") and name in printed for name in saved)


def test_a_run_without_a_violation_succeeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--inputs", "100", "--save", str(tmp_path)]) == 0
    assert "0 failures" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
