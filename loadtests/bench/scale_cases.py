"""What grows with the length or width of a load run, each measured by itself: `python scale_cases.py CASE` prints it.

Rule: a case uses nothing but what earlier versions of flowproof have too, or has another way for them, so that the same
measurement can be made of another checkout, which PYTHONPATH names.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

MS = 1_000_000
SECOND = 1_000_000_000
MINUTE, HOUR = 60, 3_600  # seconds
STARTED = 1_700_000_000
OPERATIONS, REQUESTS = 10, 120  # of a worker in a second: 50 of them make 60,000 requests a second
HERE = Path(__file__).parent
LONGEST = 120  # seconds that a case with a Locust process may take
HEALTH = {"reasons": [], "cpu_busiest": 0.1, "late_p99_ms": 0.1}


def arrivals() -> float:
    """CPU-µs of an arrival of one of 50 workers."""
    from loadtests.engine.arrival_plan import ArrivalPlan
    from loadtests.engine.health import GeneratorHealth
    from loadtests.profiles import arrival_scheduler

    class Clock:
        now, timer = SECOND, 0

        def call_at(self, when: int, _: Any) -> None:
            self.timer = when

    class User:
        def start_journey(self, _: int) -> bool:
            scheduler.user_idle(self)
            return True

    clock: Any = Clock()
    arrival_scheduler.perf_counter_ns = lambda: clock.now  # type: ignore[attr-defined]
    plan = ArrivalPlan.from_rates(50_000)
    scheduler = arrival_scheduler.ArrivalScheduler("User", plan, clock, GeneratorHealth())
    scheduler.set_share(7, 50)
    scheduler.user_spawned()
    scheduler.user_ready(User())
    began = time.process_time()
    while scheduler.started < 5_000:
        clock.now = clock.timer
        scheduler._start_due(clock.timer)
    return (time.process_time() - began) / scheduler.started * 1e6


def names(number: int) -> float:
    """CPU-µs to record a request, of so many names of operations in turn."""
    from loadtests.engine.recorder import Recorder

    recorder, keys = Recorder(), [f"GET /item/{index}" for index in range(number)]
    for key in keys:
        recorder.samples_of(key, "http")
    began, requests = time.process_time(), 60_000
    for index in range(requests):
        recorder.samples_of(keys[index % number], "http").times.append((0, 0, index, index, 10))
        if index % 600 == 0:
            recorder.flush()
    return (time.process_time() - began) / requests * 1e6


def figures(number: int) -> float:
    """CPU-µs of a request for all its figures, of so many names at 2,000 a second: samples, lines, sums, Locust's."""
    from locust.stats import RequestStats

    from loadtests.distributed import locust_stats
    from loadtests.distributed.figures_sum import FiguresSum, encode_line
    from loadtests.engine.recorder import Recorder

    recorder, sums, stats, randomness = Recorder(), FiguresSum(lambda: None), RequestStats(), random.Random(1)
    keys, requests, seconds = [f"GET /item/{index}" for index in range(number)], 2_000, 5
    spans = [round(randomness.lognormvariate(3, 0.6) * MS) for _ in range(requests)]
    began = time.process_time()
    for second in range(seconds):
        for index, ns in enumerate(spans):
            recorder.samples_of(keys[index % number], "http").times.append((0, ns // 50, ns - 1000, ns, 400))
            if index % 20 == 0:
                recorder.flush()
        operations = recorder.take()
        content = line("worker 1", second, [it.to_json() for it in operations])
        encode_line(content, ())
        locust_stats.add_statistics(stats, operations, STARTED + second)
        sums.add(content, (operations, []))
    return (time.process_time() - began) / (requests * seconds) * 1e6


def statistics(randomness: random.Random, requests: int = REQUESTS) -> list[Any]:
    """The figures of one worker in one second, with so many requests to each operation."""
    from reports.load.operation_statistics import OperationStatistics

    operations = []
    for number in range(OPERATIONS):
        operation = OperationStatistics(f"GET /operation/{number}", "http")
        times = [round(randomness.lognormvariate(3, 0.6) * MS) for _ in range(requests)]
        operation.record_successes([(0, ns // 50, ns - 1000, ns, 400) for ns in times])
        operations.append(operation)
    return operations


def line(worker: str, number: int, operations: list[dict[str, Any]], seconds: int = 1) -> dict[str, Any]:
    """A line of figures, of one second or more."""
    begin = STARTED + number
    numbers = {"number": number} if seconds == 1 else {"numbers": [number, number + seconds - 1]}
    return {
        "run": "run", "worker": worker, "second": begin, "from": begin, "to": begin + seconds, "users": 1,
        "arrivals": {}, "health": HEALTH, "operations": operations, "journeys": [],
    } | numbers  # fmt: skip


def master() -> float:
    """Share of a core (%) that a master needs for the figures of 50 workers with 60,000 requests a second."""
    from loadtests.distributed import run_state  # noqa: F401 - so that no import is measured
    from loadtests.distributed.run_results import Run, RunFolder

    figures = [it.to_json() for it in statistics(random.Random(1))]
    with tempfile.TemporaryDirectory() as folder:
        run: Any = Run("run", RunFolder(Path(folder)), None, 50, {})
        lines = [line(f"worker {index % 50}", index // 50, figures) for index in range(250)]
        texts = [json.dumps(it, separators=(",", ":")) for it in lines]
        sums = hasattr(run, "add_summed_line")
        began = time.process_time()
        for content, text in zip(lines, texts, strict=True):
            if sums:
                run.add_summed_line(content, text)
            else:
                run.add_line(content)
        if sums:
            _add_totals(run, figures, seconds=len(lines) // 50)
        return (time.process_time() - began) / (len(lines) // 50) * 100


def _add_totals(run: Any, figures: list[dict[str, Any]], seconds: int) -> None:
    """The totals that 50 workers send in that time, of which each result so far needs the newest."""
    from loadtests.distributed.master_role import _decoded
    from loadtests.distributed.worker_role import TOTALS_INTERVAL

    for _ in range(round(seconds / TOTALS_INTERVAL)):
        for index in range(50):
            decoded = _decoded({"operations": figures, "journeys": []})
            run.set_totals(f"worker {index}", lambda decoded=decoded: decoded)
        run.current_result()


def growth() -> float:
    """MB by which the memory of a process grows in an hour of a soak of 20 operations."""
    from types import SimpleNamespace

    from locust.stats import RequestStats

    from loadtests.distributed import locust_stats

    now = [STARTED]
    setattr(locust_stats, "time", SimpleNamespace(time=lambda: float(now[0])))  # noqa: B010 - a module of its own
    randomness, stats, sizes = random.Random(1), RequestStats(), []
    seconds = [statistics(randomness, 3) + statistics(randomness, 3) for _ in range(5)]
    for second in seconds:
        for index, operation in enumerate(second):
            operation.operation = f"GET /operation/{index}"
    forget = getattr(locust_stats, "forget_old_seconds", lambda _: None)
    tracemalloc.start()
    for index in range(1_801):
        now[0] = STARTED + index
        locust_stats.add_statistics(stats, seconds[index % 5], now[0])
        forget(stats)
        if index in (900, 1_800):
            sizes.append(tracemalloc.get_traced_memory()[0])
    return (sizes[1] - sizes[0]) * 4 / 1e6


def soak() -> float:
    """MB by which the figures of a load generator grow in an hour: 20 operations, 60 requests and 10 ids a second.

    Of the second hour, since buckets that are counted for the first time are most of it.
    """
    from loadtests.distributed.figures_sum import FiguresSum
    from loadtests.validation.invariants import UniqueValues

    randomness, sums, ids, sizes = random.Random(1), FiguresSum(lambda: None), UniqueValues("id", "CLAUSE-1"), []
    tracemalloc.start()
    for second in range(2 * HOUR):
        if second % (HOUR - MINUTE) == MINUTE - 1:
            sizes.append(tracemalloc.get_traced_memory()[0])
        operations = statistics(randomness, 3) + statistics(randomness, 3)
        for index, operation in enumerate(operations):
            operation.operation = f"GET /operation/{index}"
        sums.add(line("worker 1", second, []), (operations, []))
        for _ in range(10):
            ids.add(randomness.getrandbits(60))
        ids.unreported = type(ids.unreported)("Q")
    return (sizes[-1] - sizes[-2]) / (HOUR - MINUTE) * HOUR / 1e6


def reading(hours: float, minutes: bool) -> float:
    """MB at most in memory while a run of 8 workers is read back and judged, beyond those of the empty program."""
    from reports.load import load_run, load_verdict, slo
    from reports.load.timeline import timeline

    randomness = random.Random(1)
    seconds = [[it.to_json() for it in statistics(randomness)] for _ in range(5)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "slo.yaml").write_text("run: {errors: 1 %, p95: 1 s}\n")
        plan = {"name": "run", "started": STARTED, "planned": None, "workers": 8, "apis": [], "arrivals": {}}
        phases = [("warm-up", 0, 60, False), ("steady", 60, hours * 3600, True)]
        keys = ("name", "begin", "end", "judged")
        (folder / "plan.json").write_text(
            json.dumps(plan | {"phases": [dict(zip(keys, it, strict=True)) for it in phases]})
        )
        _write_lines(folder, seconds, round(hours * 3600), minutes)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        run = load_run.read_load_run(folder)
        load_verdict.judge_run(run, slo.read_objectives(folder / "slo.yaml"))
        timeline(run)
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def _write_lines(folder: Path, seconds: list[list[dict[str, Any]]], length: int, minutes: bool) -> None:
    """Lines of all seconds, or of all minutes but the last twenty."""
    old = max(0, length - 1_200) if minutes else 0
    with (folder / "minutes.jsonl").open("w") as file:
        for begin in range(0, old, 60):
            for worker in range(8):
                content = line(f"worker {worker}", begin, seconds[(begin // 60 + worker) % 5], 60)
                file.write(json.dumps(content) + "\n")
    with (folder / "seconds.jsonl").open("w") as file:
        for begin in range(old, length):
            for worker in range(8):
                file.write(json.dumps(line(f"worker {worker}", begin, seconds[(begin + worker) % 5])) + "\n")


def users(number: int, scheme: str, *options: str) -> float:
    """What `scripts/many_users.py` measures with so many users, each with a connection of that scheme."""
    files = max(resource.getrlimit(resource.RLIMIT_NOFILE))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-P", str(HERE / "serve_users.py")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                authority = f"127.0.0.1:{(server.stdout or sys.stdin).readline().strip()}"
                environ = {"BENCH_USERS": str(number), "BENCH_URL": f"{scheme}://{authority}"}
                figure = Path(name) / "figure"
                command = [
                    sys.executable,
                    "-P",
                    "-m",
                    "locust",
                    "-f",
                    str(HERE / "scripts" / "many_users.py"),
                    "--headless",
                ]
                command += [
                    "-u",
                    str(number),
                    "--host",
                    f"http://{authority}",
                    "--results",
                    f"{name}/results",
                    *options,
                ]
                environ |= {"BENCH_FIGURE": str(figure)}
                subprocess.run(command, env=os.environ | environ, capture_output=True, timeout=LONGEST, check=True)
                return float(figure.read_text())
            finally:
                server.kill()


CASES: dict[str, Callable[[], float]] = {
    "arrivals": arrivals,
    "names-10": lambda: names(10),
    "names-900": lambda: names(900),
    "names-9000": lambda: names(9_000),
    "figures-10": lambda: figures(10),
    "figures-9000": lambda: figures(9_000),
    "master": master,
    "growth": growth,
    "soak": soak,
    "users-100": lambda: users(100, "http", "--rate", "2000"),
    "users-9000": lambda: users(9_000, "http", "--rate", "2000"),
    "idle": lambda: users(9_000, "ws", "-r", "1000"),
    "reading-minutes": lambda: reading(0.05, minutes=False),
    "reading-day": lambda: reading(24, minutes=True),
}


if __name__ == "__main__":
    print(json.dumps(CASES[sys.argv[1]]()))
