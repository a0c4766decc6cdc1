"""Spoiled bytes find nothing in the engine, and would find something if the engine were worse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loadtests.engine import chunks, frames, heads
from loadtests.engine.frames import Frames
from loadtests.engine.http import HttpConnection
from loadtests.engine.websocket import Websocket
from loadtests.fuzz.__main__ import main
from loadtests.fuzz.hunt import failures
from loadtests.fuzz.small import smallest

SEED, INPUTS = 7, 12_000


def test_no_claim_is_disproved() -> None:
    assert list(failures(SEED, INPUTS)) == []


def nothing(*_: object) -> None:
    """Instead of something that the engine does for a reason."""


WORSE: dict[str, tuple[object, str, object]] = {
    "bytes behind an answer are let pass": (HttpConnection, "refuse", nothing),
    "messages behind an answer are let pass": (Websocket, "_unsolicited", nothing),
    "frames are not checked": (Frames, "_check_start", nothing),
    "text is not checked": (frames, "_is_utf8", lambda _: True),
    "connections are always kept": (heads, "_keep", lambda *_: True),
    "lengths are ignored": (heads, "_length", lambda *_: 0),
    "sizes of chunks are not checked": (chunks, "_SIZE", re.compile(rb"([0-9A-Fa-f]+)[^\r]*")),
}


@pytest.mark.parametrize("case", WORSE)
def test_a_worse_engine_is_found_out(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    heads.known.clear()
    monkeypatch.setattr(*WORSE[case])
    found = next(failures(SEED, INPUTS), None)
    heads.known.clear()
    assert found is not None


def test_a_failing_input_is_made_small() -> None:
    data = b"a lot before \r\n\r\n a lot behind, and one : more"
    assert smallest(data, lambda less: b"\n\r" in less and b":" in less) == b"\n\r:"


def test_what_is_found_is_printed_with_its_seed_and_saved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(heads, "_length", lambda *_: 0)
    assert main(["--inputs", "500", "--seed", "3", "--save", str(tmp_path)]) == 1
    heads.known.clear()
    printed = capsys.readouterr().out
    saved = [path.name for path in tmp_path.iterdir()]
    assert "seed 3, 500 inputs" in printed
    assert saved
    assert all(name.startswith("http-3-") and name in printed for name in saved)


def test_what_is_not_found_is_a_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--inputs", "100", "--save", str(tmp_path)]) == 0
    assert "0 failures" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
