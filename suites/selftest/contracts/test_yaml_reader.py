"""YAML is read strictly, and every part of a file knows its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import ContractError, Location, UsageError
from contracts.reader.yaml_file import ROOT, describe_value, display_path, read_contract_file
from contracts.yaml_reader import YamlReader

TEXT = """\
shared: &shared
  a: 1
  b: {c: 2}
list:
  - first
  - second: {d: 3}
    third: 4
merged:
  <<: *shared
  a: 5
alias: *shared
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("location", "line"),
    [
        ((), 1),
        (("shared",), 1),
        (("shared", "b", "c"), 3),
        (("list",), 4),
        (("list", 0), 5),
        (("list", 1), 6),
        (("list", 1, "third"), 7),
        (("list", 9), 4),
        (("list", "first"), 4),
        (("merged", "a"), 10),
        (("merged", "b"), 3),
        (("alias", "b", "c"), 3),
        (("shared", "none", "c"), 1),
        (("shared", "a", "c"), 2),
        (("none",), 1),
    ],
    ids=str,
)
def test_line_of_a_part_or_of_the_nearest_around_it(location: Location, line: int, tmp_path: Path) -> None:
    path = written(tmp_path, TEXT)
    file = read_contract_file(path)
    assert file.line(location) == line
    error = file.error(location, "so")
    assert (str(error), error.location) == (f"{path}, line {line}: so", tuple(location))


def test_merged_mappings_are_no_duplicates(tmp_path: Path) -> None:
    data = read_contract_file(written(tmp_path, TEXT)).data
    assert data["merged"] == {"a": 5, "b": {"c": 2}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: 'a' stands here twice: expected it once"),
        ("a:\n  b: 1\n  b: 1\n", "line 3: 'b' stands here twice: expected it once"),
        ("a: 1\n7: 2\n", "line 2: got '7' for a name: expected a text; put it in quotes"),
        ("yes: 1\n", "line 1: got 'yes' for a name"),
        ("a:\n  - 2026-01-02\n", "line 2: got '2026-01-02', a timestamp: expected a text; put it in quotes"),
        ("a: !!set {b}\n", "line 1: got a set, a set: expected a text"),
        ("a: [1\nb: 2\n", "line 2: this is no YAML: "),
        ("a: *none\n", "line 1: this is no YAML: found undefined alias"),
        ("", "it is empty"),
        ("\x07", "this is no YAML: unacceptable character"),
        ("a: 1\n---\nb: 2\n", "line 2: this is no YAML: but found another document"),
    ],
    ids=repr,
)
def test_what_is_not_strict_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ContractError) as error:
        read_contract_file(path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))


def test_path_is_shown_from_the_root_of_the_checkout() -> None:
    assert display_path(ROOT / "contracts" / "getflow" / "clauses.yaml") == "contracts/getflow/clauses.yaml"
    assert display_path(Path("/elsewhere/clauses.yaml")) == "/elsewhere/clauses.yaml"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        (5, "5"),
        (None, "nothing"),
        ([], "nothing"),
        ({}, "nothing"),
        ([1], "a list"),
        ({"a": 1}, "names with values"),
        ("x" * 78, f"'{'x' * 78}'"),
        ("x" * 79, f"'{'x' * 79}…"),
    ],
    ids=repr,
)
def test_value_is_described_in_few_words(value: object, text: str) -> None:
    assert describe_value(value) == text


UNITS = {"s": 1.0, "ms": 0.001}


@pytest.mark.parametrize(("text", "expected"), [("3 s", 3.0), ("3s", 3.0), ("1.5 ms", 0.0015), ("250 ms", 0.25)])
def test_quantity_is_a_number_with_a_unit(text: str, expected: float, tmp_path: Path) -> None:
    reader = YamlReader(written(tmp_path, f"a: {text}"), "--file")
    assert reader.quantity(reader.mapping(reader.root)["a"], UNITS, "a time") == pytest.approx(expected)


@pytest.mark.parametrize("text", ["3", "3 h", "-3 s", "s", "[3 s]", "3 s s", ".5 s"])
def test_quantity_without_a_known_unit_is_an_error(text: str, tmp_path: Path) -> None:
    reader = YamlReader(written(tmp_path, f"a: {text}"), "--file")
    with pytest.raises(UsageError, match=r"line 1: expected a time \(units: s, ms\), got "):
        reader.quantity(reader.mapping(reader.root)["a"], UNITS, "a time")


@pytest.mark.parametrize("text", ["0", "01", "-1", "1.0", "x", "[1]"])
def test_positive_integer_is_a_whole_number_from_1(text: str, tmp_path: Path) -> None:
    reader = YamlReader(written(tmp_path, f"a: {text}\nb: 10"), "--file")
    values = reader.mapping(reader.root)
    assert reader.positive_integer(values["b"]) == 10
    with pytest.raises(UsageError, match="line 1: expected a whole number from 1, got "):
        reader.positive_integer(values["a"])


def test_lists_and_texts_are_not_empty(tmp_path: Path) -> None:
    reader = YamlReader(written(tmp_path, "a: [1, 2]\nb: []\nc: x\nd: ' '\ne: {}\n"), "--file")
    values = reader.mapping(reader.root)
    assert [reader.text(item) for item in reader.items(values["a"])] == ["1", "2"]
    assert reader.text(values["c"]) == "x"
    for name, read in (("b", reader.items), ("c", reader.items), ("d", reader.text), ("e", reader.text)):
        with pytest.raises(UsageError, match="expected a "):
            read(values[name])


@pytest.mark.parametrize(
    ("text", "expected", "message"),
    [
        ("", (), "it is empty"),
        ("[1]", (), "line 1: expected names with values, got a seq"),
        ("a: 1\na: 2", (), "line 2: 'a' stands here twice"),
        ("a: 1\nb: 2", ("a", "c"), "line 2: 'b' is unknown: expected a, c"),
        ("? [a]\n: 1", (), "line 1: expected a name"),
    ],
)
def test_mapping_has_expected_names_once(text: str, expected: tuple[str, ...], message: str, tmp_path: Path) -> None:
    reader = YamlReader(written(tmp_path, text), "--file")
    with pytest.raises(UsageError, match=message) as error:
        reader.mapping(reader.root, expected)
    assert str(error.value).startswith(str(tmp_path / "file.yaml"))


def test_file_that_cannot_be_read_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read: .*; name another file with --file"):
        YamlReader(tmp_path / "none.yaml", "--file")
    with pytest.raises(UsageError, match="this is no YAML: "):
        YamlReader(written(tmp_path, "a: ["), "--file")
