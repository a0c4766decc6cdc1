"""The engine of the benchmark answers as a real one does, by either protocol."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests.bench.engine_messages import GREETINGS, MESSAGES, RESPONSE, json_messages, text_messages
from loadtests.bench.figures import TARGETS
from loadtests.bench.generators import NAMES, Workload
from loadtests.bench.sinks import NEEDS, SINKS


def text(*parts: str) -> bytes:
    return ("\x1f".join(parts) + "\x1e").encode()


def test_a_call_by_json_is_accepted_and_answered() -> None:
    call = {"topic": 6, "action": 2, "name": "inventory/device", "correlationId": "7", "data": "{}"}
    accepted, answered = map(json.loads, json_messages(json.dumps(call).encode()))
    same = {"topic": 6, "name": "inventory/device", "correlationId": "7"}
    assert accepted == {**same, "action": 4}
    assert answered == {**same, "action": 5, "data": RESPONSE}


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        ({"topic": 2, "action": 5, "url": "ws://x"}, [{"topic": 2, "action": 4}]),
        ({"topic": 3, "action": 2, "data": "{}"}, [{"topic": 3, "action": 3}]),
        ({"topic": 2, "action": 3}, []),
    ],
)
def test_a_login_by_json_is_accepted(message: dict[str, object], reply: list[object]) -> None:
    assert [json.loads(it) for it in json_messages(json.dumps(message).encode())] == reply


def test_a_call_by_text_is_acknowledged_and_answered() -> None:
    messages = list(text_messages(text("P", "REQ", "inventory/device", "7", "O{}")))
    assert messages[0] == text("P", "A", "REQ", "inventory/device", "7")
    assert messages[1:] == [text("P", "RES", "inventory/device", "7", f"O{RESPONSE}")]


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        (text("C", "CHR", "ws://x"), [text("C", "A")]),
        (text("A", "REQ", "{}"), [text("A", "A")]),
        (text("C", "PO"), []),
    ],
)
def test_a_login_by_text_is_accepted(message: bytes, reply: list[bytes]) -> None:
    assert list(text_messages(message)) == reply


def test_the_engine_speaks_first_by_text_alone() -> None:
    assert {"json": b"", "text": text("C", "CH")} == GREETINGS
    assert MESSAGES.keys() == GREETINGS.keys()


def test_both_protocols_have_a_row_and_a_target() -> None:
    assert NAMES["engine-ours"].transport == NAMES["engine-text-ours"].transport
    assert NAMES["engine-ours"].transport in SINKS.keys() & NEEDS.keys()
    (target,) = [target for target in TARGETS if target.ours == "engine-text-ours"]
    assert (target.others, target.limit) == (("engine-ours",), 1.3)


def test_the_text_row_goes_to_the_text_endpoint(tmp_path: Path) -> None:
    work = Workload("deepstream://127.0.0.1:6020/", 64, tmp_path)
    hosts = [NAMES[name].command(work) for name in ("engine-ours", "engine-text-ours")]
    assert [command[command.index("--host") + 1] for command in hosts] == [
        "deepstream://127.0.0.1:6020",
        "deepstream-text://127.0.0.1:6020/text",
    ]
