"""A run can be watched while it goes on: by Prometheus, by an OpenTelemetry collector, and by its risks."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtests.locust_plugin.otlp_metrics import create_exporter
from loadtests.selftest.locust_run import LocustRun, free_port, running_locust, tell_to_end, until_told, wait_until
from loadtests.selftest.shop_server import running_shop

LOCUSTFILE = """
from locust import constant
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Visitor(JourneyUser):
    wait_time = constant(0.05)

    @journey
    def visit(self):
        with self.step("look"):
            yield self.request("GET", "/articles", tags=("reading",))
        yield self.request("GET", "/home")  # which a stranger is refused
"""
SLO = "run: {errors: 1 %, mean: 10 s}\nsteps: {look: {max: 60 s}}"
Samples = dict[tuple[str, ...], float]


@contextmanager
def watched_run(folder: Path, options: str, **settings: str) -> Iterator[LocustRun]:
    """A run at a shop that goes on until it is told to end; half of its requests fail."""
    (folder / "slo.yaml").write_text(SLO)
    text = LOCUSTFILE + until_told(folder, 2)
    with running_shop() as shop:
        options = f"--headless --slo {folder}/slo.yaml {options}"
        with running_locust(folder, shop.url, text, options, **settings) as run:
            yield run


def samples_at(port: int) -> Samples:
    """What Prometheus reads there, by name and values of the labels; nothing while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
            text = response.read().decode()
    except OSError:
        return {}
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def samples_with(port: int, condition: Callable[[Samples], bool]) -> Samples:
    """The samples, once they meet the condition."""
    samples: Samples = wait_until(lambda: (now := samples_at(port)) and condition(now) and now, "such samples")
    return samples


FAILED = ("flowproof_requests_total", "GET /home", "http", "failed")


def test_prometheus_reads_the_figures_and_risks_of_a_run_that_goes_on(tmp_path: Path) -> None:
    port = free_port()
    with watched_run(tmp_path, f"--prometheus 127.0.0.1:{port}") as run:
        now = samples_with(port, lambda it: it.get(FAILED, 0) > 20)
        tell_to_end(tmp_path)
        run.wait()
    good = now["flowproof_requests_total", "GET /articles", "http", "good"]
    assert now["flowproof_failures_total", "GET /home", "http", "status 401"] == now[FAILED]
    assert now["flowproof_request_duration_seconds_count", "GET /articles", "http"] == good
    assert now["flowproof_request_duration_seconds_bucket", "GET /articles", "http", "+Inf"] == good
    assert now["flowproof_journey_duration_seconds_count", "look", "as a step"] > 0
    assert now["flowproof_journey_duration_seconds_count", "reading", "by tag"] > 0
    assert now[("flowproof_users",)] == 2
    risks = {key[1]: value for key, value in now.items() if key[0] == "flowproof_objective_at_risk"}
    assert risks == {"run errors": 1, "run mean": 0, "step look max": 0}
    assert now["flowproof_objective_measured", "run errors"] == pytest.approx(0.5, abs=0.05)
    assert now["flowproof_objective_limit", "run mean"] == 10


def test_an_address_that_is_taken_ends_the_run_with_one_line(tmp_path: Path) -> None:
    with running_shop() as shop:
        taken = shop.url.removeprefix("http://")
        with watched_run(tmp_path, f"--prometheus {taken}") as run:
            assert run.wait() == 2
    assert f"--prometheus: expected a free address such as 127.0.0.1:9646, got {taken}" in run.output
    assert "Traceback" not in run.output


@pytest.mark.parametrize("address", ["9646", "127.0.0.1:none"])
def test_an_address_that_is_none_ends_the_run_with_one_line(tmp_path: Path, address: str) -> None:
    with watched_run(tmp_path, f"--prometheus {address}") as run:
        assert run.wait() == 2
    assert "--prometheus: expected HOST:PORT such as 127.0.0.1:9646" in run.output


@contextmanager
def running_collector(folder: Path) -> Iterator[tuple[int, Callable[[], list[dict[str, Any]]]]]:
    """A collector of OTLP in a process of its own: its port, and the metrics that it has received."""
    port, output = free_port(), folder / "collector.txt"
    with output.open("w") as file:
        command = [sys.executable, "-u", "-m", "oteltap", "--port", str(port)]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)

    def received() -> list[dict[str, Any]]:
        lines = [line for line in output.read_text().splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]

    try:
        wait_until(lambda: "Listening" in output.read_text() or process.poll() is not None, "the collector")
        yield port, received
    finally:
        process.terminate()
        process.wait(30)


def test_a_collector_receives_the_figures_of_the_run(tmp_path: Path) -> None:
    with running_collector(tmp_path) as (port, received):
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
        }
        with watched_run(tmp_path, "--otel", **settings) as run:
            wait_until(lambda: "flowproof.requests" in json.dumps(received()), "the first figures")
            tell_to_end(tmp_path)
            run.wait()
    text = json.dumps(received())
    for name in ("flowproof.request.duration", "flowproof.objective.at_risk", "flowproof.users", "GET /articles"):
        assert name in text, run.output[-2000:]
    last = [it for it in received() if it["name"] == "flowproof.requests"][-1]
    assert sum(int(point["asInt"]) for point in last["sum"]["dataPoints"]) == sum(run.requests().values())


def test_an_exporter_that_is_not_there_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert create_exporter({"OTEL_EXPORTER_OTLP_PROTOCOL": "carrier/pigeon"}) is None
    assert "got none; set http/protobuf" in caplog.text


def test_without_metrics_there_is_no_exporter(caplog: pytest.LogCaptureFixture) -> None:
    assert create_exporter({"OTEL_METRICS_EXPORTER": "none"}) is None
    assert caplog.text == ""
