"""The file of `--readings`: the same meanings give the same bytes, and a line that is not understood is misuse."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from contracts.errors import UsageError
from suites.reporting import readings_file
from suites.reporting.readings_file import RecordedReadings, read_readings, require_writable, write_readings

HEAD = "reading,exchange,meanings\n"
CONTENT = (
    HEAD + "FLOWAPP_URL,,our reference\n"
    "GETFLOW_URL,,https://flow.example\n"
    "FLOWAPP-AMB-9,GET /x,refused\n"
    'GETFLOW-AMB-6,"GET /tasks, unknown: query x",accepted refused\n'
    'GETFLOW-AMB-15,"GET /tasks, a ""quoted"" value",clamped\n'
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with that content."""
    path = tmp_path / "readings.csv"
    path.write_text(CONTENT)
    return path


def test_a_file_is_read_completely(file: Path) -> None:
    recorded = read_readings(file)
    assert recorded.targets == {"flowapp": "our reference", "getflow": "https://flow.example"}
    assert recorded.meanings == {
        ("FLOWAPP-AMB-9", "GET /x"): {"refused"},
        ("GETFLOW-AMB-6", "GET /tasks, unknown: query x"): {"accepted", "refused"},
        ("GETFLOW-AMB-15", 'GET /tasks, a "quoted" value'): {"clamped"},
    }
    assert recorded.lines["GETFLOW-AMB-15", 'GET /tasks, a "quoted" value'] == 6


def test_the_same_meanings_give_the_same_bytes(file: Path, tmp_path: Path) -> None:
    recorded = read_readings(file)
    backwards = RecordedReadings(dict(reversed(recorded.meanings.items())), dict(reversed(recorded.targets.items())))
    write_readings(tmp_path / "copy.csv", backwards)
    assert (tmp_path / "copy.csv").read_text() == CONTENT


def test_a_file_that_does_not_exist_has_nothing(tmp_path: Path) -> None:
    assert read_readings(tmp_path / "none.csv") == RecordedReadings()


def test_what_is_recorded_stays_when_more_is_added(file: Path) -> None:
    recorded = read_readings(file)
    new = ("GETFLOW-AMB-7", "GET /tasks")
    recorded.add({("FLOWAPP-AMB-9", "GET /x"): {"ignored"}, new: {"refused"}}, {"flowapp": "another"})
    assert recorded.meanings["FLOWAPP-AMB-9", "GET /x"] == {"refused"}
    assert recorded.meanings[new] == {"refused"}
    assert recorded.targets["flowapp"] == "our reference"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1: expected reading,exchange,meanings"),
        ("GETFLOW-AMB-6,x,refused\n", "line 1: expected reading,exchange,meanings"),
        (HEAD + "GETFLOW-AMB-6,refused\n", "line 2: expected reading,exchange,meanings, got 2 values"),
        (HEAD + "\n", "line 2: expected reading,exchange,meanings, got 0 values"),
        (HEAD + "<<<<<<< HEAD\n", "line 2: expected reading,exchange,meanings, got 1 values"),
        (HEAD + "NOBODY-AMB-6,x,refused\n", "line 2: expected a reading of bitvis, flowapp, flowback, getflow, got "),
        (HEAD + "GETFLOW-AMB-999,x,refused\n", "line 2: expected a reading of contracts/getflow/readings.yaml, got "),
        (HEAD + "GETFLOW-AMB-6,x,odd\n", "line 2: GETFLOW-AMB-6: expected one of refused, ignored, accepted, "),
        (HEAD + "GETFLOW-AMB-6,x,\n", "line 2: GETFLOW-AMB-6: expected one of "),
        (HEAD + "GETFLOW-AMB-6,x,refused\n" * 2, "line 3: GETFLOW-AMB-6, x: stands in line 2 already"),
        (HEAD + 'GETFLOW-AMB-6,"x,refused\n', "line 2: unexpected end of data"),
    ],
)
def test_a_line_that_is_not_understood_is_named(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_readings(path)
    message = str(refused.value)
    assert message.startswith(f"--readings: {path}, {reason}")
    assert message.endswith("correct or delete the line, or the file to record it anew")
    assert len(message.splitlines()) == 1


def test_readings_of_a_broken_contract_are_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_text(HEAD + "GETFLOW-AMB-999,x,odd\n")
    assert read_readings(path, broken=["getflow"]).meanings == {("GETFLOW-AMB-999", "x"): {"odd"}}


def test_bytes_that_are_no_text_are_misuse(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"cannot be read .*name another file"):
        read_readings(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--readings: expected a file, got the folder"):
        require_writable(tmp_path)


def test_a_file_in_no_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be written \(No such file or directory\); name a file in a folder"):
        require_writable(tmp_path / "none" / "readings.csv")


def test_asking_whether_a_file_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    require_writable(tmp_path / "readings.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_replaced_keeps_its_mode_and_its_link(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(file)
    write_readings(link, RecordedReadings())
    assert link.is_symlink()
    assert file.read_text() == HEAD
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_write_that_fails_leaves_the_earlier_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(readings_file.os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_readings(file, RecordedReadings())
    assert file.read_text() == CONTENT
    assert os.listdir(file.parent) == ["readings.csv"]
