"""What a load run prints to show a violation that one request cannot show: its journey, which finds it again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.targets import embedded_references
from loadtests.selftest.locust_run import output_of, running_locust

CASES = [  # API, a fault that a journey's check finds, the journey
    ("flowapp", "newest_registrant_is_hidden", "register_people"),
    ("getflow", "update_is_not_kept", "live_with_a_task"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("api", "fault", "journey"), CASES)
def test_the_printed_journey_finds_the_violation_again(tmp_path: Path, api: str, fault: str, journey: str) -> None:
    with embedded_references([api], "", [f"--fault={api}.{fault}"]) as started:
        text = f"from loadtests.{api} import *"
        with running_locust(tmp_path, started[api].url, text, "--headless --rate 20 -u 20 -t 5s") as locust:
            locust.wait()
            causes = json.loads((locust.results / "verdict.json").read_text())["violation_causes"]
        (cause,) = [it for it in causes if f"--tags {journey} " in it["command"]]
        assert f"cause {cause['id']}, " in output_of(cause["command"], api)
