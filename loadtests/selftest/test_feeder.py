"""Rows of test data come in order, at random or once, each worker has its own, and a bad file is refused."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from contracts.errors import UsageError
from loadtests.user.feeder import Feeder, csv_feeder, json_feeder, require_rows

NAMES = "name,age\nada,1\nbob,2\ncyd,3\ndan,4\n"


def names(feeder: Feeder, index: int, workers: int, number: int) -> list[str]:
    return [row["name"] for row in islice(feeder.share(index, workers), number)]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(NAMES)
    return path


def test_a_row_of_csv_has_the_names_of_the_first_line(people: Path) -> None:
    assert csv_feeder(people).rows[0] == {"name": "ada", "age": "1"}


def test_a_row_of_json_has_the_values_of_its_object(tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text('[{"name": "ada", "tags": [1]}]')
    assert json_feeder(tmp_path / "people.json").rows == [{"name": "ada", "tags": [1]}]


def test_rows_in_order_begin_anew_after_the_last(people: Path) -> None:
    assert names(csv_feeder(people), 0, 1, 6) == ["ada", "bob", "cyd", "dan", "ada", "bob"]


def test_workers_share_the_rows(people: Path) -> None:
    shares = [names(csv_feeder(people, "unique"), index, 3, 9) for index in range(3)]
    assert shares == [["ada", "dan"], ["bob"], ["cyd"]]


def test_rows_in_order_serve_more_workers_than_rows(people: Path) -> None:
    assert names(csv_feeder(people), 5, 6, 2) == ["ada", "bob"]


def test_unique_rows_do_not(people: Path) -> None:
    assert names(csv_feeder(people, "unique"), 5, 6, 2) == []


def test_random_rows_are_all_taken_some_time(people: Path) -> None:
    assert set(names(csv_feeder(people, "at random"), 0, 1, 500)) == {"ada", "bob", "cyd", "dan"}


def test_blank_lines_and_a_byte_order_mark_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('\ufeffname\n\n"a\nb"\n', "utf-8")
    assert csv_feeder(tmp_path / "a.csv").rows == [{"name": "a\nb"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected rows of test data, got none"),
        ("name\n", "expected rows of test data, got none"),
        ("a,a\n1,2\n", "line 1: expected a different name for each column, got a, a"),
        ("a,\n1,2\n", "line 1: expected a different name"),
        ("a,b\n1,2\n1\n", "line 3: expected 2 values, got 1"),
        ('a\n"b"c\n', "line 2: expected CSV, got something else"),
        ("a\n\xff", "expected text in UTF-8"),
    ],
)
def test_csv_that_is_not_understood_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=message):
        _ = csv_feeder(path).rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected rows of test data, got none"),
        ("{}", "expected a JSON array of objects"),
        ("[1]", "expected a JSON array of objects"),
        ("[\n{]", "line 2: expected JSON"),
    ],
)
def test_json_that_is_not_understood_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        _ = json_feeder(path).rows


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv: expected a file with test data"):
        _ = csv_feeder(tmp_path / "none.csv").rows


def test_another_order_is_refused(people: Path) -> None:
    with pytest.raises(UsageError, match="one of in order, at random, unique, got 'once'"):
        _ = csv_feeder(people, "once").rows


def test_feeders_of_a_class_of_users_are_read_before_a_run(tmp_path: Path) -> None:
    user_class = type("Visitor", (), {"accounts": csv_feeder(tmp_path / "none.csv")})
    with pytest.raises(UsageError, match=r"none\.csv"):
        require_rows(user_class)
