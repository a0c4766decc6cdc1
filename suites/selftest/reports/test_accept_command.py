"""`python -m reports accept`: what it writes, and what it says of ids, days and files that cannot be."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from reports import accept_command
from reports.results import run_manifest
from reports.results.acceptances import AcceptanceList, read_acceptances
from reports.results.causes import causes_of
from reports.results.result_log import ResultLog
from suites.selftest.reports.test_accepted_causes import BARE, CLAUSE, WRONG, failed

TODAY = date.today()
UNTIL = str(TODAY + timedelta(90))
TEST = failed("test_a", WRONG, BARE)
(CAUSE,) = causes_of([TEST])
PLAIN = ("--until", UNTIL, "--reason", "ticket 812", "--by", "Ann")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The target file of a run with one cause; the run's results are in `out` beside it."""
    path = tmp_path / "deployment" / "target.yaml"
    path.parent.mkdir()
    leave(tmp_path, str(path.parent / "accepted.yaml"))
    return path


def leave(folder: Path, file: str) -> None:
    results = folder / "out" / "allure-results"
    run = run_manifest.begin(results)
    lists = {"flowback": AcceptanceList(file, TODAY)} if file else {}
    run_manifest.start(results, run, {"flowback": 1}, {}, acceptances=lists)
    ResultLog(results, run, "main").append(TEST)
    run_manifest.finish(results, run, 1)


def accept(folder: Path, *words: str, environ: dict[str, str] | None = None) -> int:
    return accept_command.main(words, folder / "out", environ or {})


def test_a_cause_is_accepted_in_the_file_that_the_run_has_read(tmp_path: Path, target: Path) -> None:
    assert accept(tmp_path, CAUSE.id, *PLAIN) == 0
    (entry,) = read_acceptances(target.parent / "accepted.yaml", TODAY)
    assert (entry.id, entry.also, entry.clause) == (CAUSE.id, CAUSE.also, CLAUSE)
    assert (str(entry.until), entry.reason, entry.by) == (UNTIL, "ticket 812", "Ann")
    assert "total_page: an integer; received a text" in entry.what


def test_the_environment_names_another_file(tmp_path: Path, target: Path) -> None:
    (tmp_path / "other").mkdir()
    environ = {"FLOWBACK_TARGET": str(tmp_path / "other" / "target.yaml")}
    assert accept(tmp_path, CAUSE.id, *PLAIN, environ=environ) == 0
    assert (tmp_path / "other" / "accepted.yaml").exists()
    assert not (target.parent / "accepted.yaml").exists()


def test_a_part_of_a_cause_is_accepted_with_it(tmp_path: Path, target: Path) -> None:
    assert accept(tmp_path, CAUSE.also[0], *PLAIN) == 0
    assert read_acceptances(target.parent / "accepted.yaml", TODAY)[0].id == CAUSE.id


def test_without_a_name_the_user_accepts(tmp_path: Path, target: Path) -> None:
    assert accept(tmp_path, CAUSE.id, *PLAIN[:4]) == 0
    assert read_acceptances(target.parent / "accepted.yaml", TODAY)[0].by


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("ffffffffffff", *PLAIN),
            f"ffffffffffff: expected the id of a cause of the last run; the nearest of 1 is {CAUSE.id}",
        ),
        ((CAUSE.id, "ffffffffffff", *PLAIN), "ffffffffffff: expected the id of a cause"),
        ((CAUSE.id, "--until", "soon", *PLAIN[2:]), "--until: got 'soon', expected a day such as"),
        ((CAUSE.id, "--until", "2026-01-01", *PLAIN[2:]), "--until: got 2026-01-01, expected today,"),
        ((CAUSE.id, "--until", str(TODAY + timedelta(181)), *PLAIN[2:]), "expected a day at most 180 days ahead"),
        ((CAUSE.id, "--until", UNTIL, "--reason", " "), "--reason: expected a few words, got none"),
        ((CAUSE.id, *PLAIN[:4], "--by", " "), "--by: expected a few words, got none"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], line: str
) -> None:
    assert accept(tmp_path, *words) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert not (tmp_path / "deployment" / "accepted.yaml").exists()


def test_a_run_that_left_nothing_has_no_causes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert accept(tmp_path, CAUSE.id, *PLAIN) == 2
    assert "which has none; run pytest first" in capsys.readouterr().err


def test_nothing_of_our_reference_is_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave(tmp_path, "")
    assert accept(tmp_path, CAUSE.id, *PLAIN) == 2
    assert "name a server with FLOWBACK_TARGET or FLOWBACK_URL" in capsys.readouterr().err


def test_a_folder_that_is_elsewhere_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave(tmp_path, "/nowhere/at/all/accepted.yaml")
    assert accept(tmp_path, CAUSE.id, *PLAIN) == 2
    assert (
        "/nowhere/at/all is no folder: expected that of the target file; set FLOWBACK_TARGET" in capsys.readouterr().err
    )


def test_a_load_run_that_is_none_is_named(tmp_path: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert accept(tmp_path, CAUSE.id, *PLAIN, "--load", str(target.parent)) == 2
    assert "expected a load run, got" in capsys.readouterr().err
