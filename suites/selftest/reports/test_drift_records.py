"""Records of behaviour: their files are the same for the same behaviour, and read back as what was written."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.behaviour.behaviour import FAMILIES, SHARES, Address, Behaviour, share
from contracts.yaml_reader import UsageError
from reports.drift.question_titles import joined, separated
from reports.drift.record import Record, RecordHeader
from reports.drift.record_files import file_of, has_record, read_record, write_record
from reports.drift.recording import merge
from reports.drift.sightings import COUNTED, rounded
from reports.drift.usual_media_type import lengthened, shortened

HEADER = RecordHeader("todo", "http://127.0.0.1:8000", "0" * 12, "f" * 12, "full", "0.1.0", (date(2026, 3, 31),))
TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12) | st.sampled_from(
    ["yes", "null", "~", "1e3", "- a", "a: b", "all", "{x}", "a~", "x (5 seen)", "*", "&a", "é", "200"]
)
PLACES = TEXT | st.sampled_from(["/tasks/*/id", "/tasks/*", "", "/", "valid: limit 100", "missing: id", "valid"])
OPERATIONS = st.sampled_from(
    ["GET /tasks", "GET /v2/tasks", "get /tasks", "a/b LIST by header", "a/b LIST", "record", ""]
)
ADDRESSES = st.builds(
    Address, OPERATIONS, st.sampled_from(["", "200", "400", "frame", "200 refused"]), st.sampled_from(FAMILIES), PLACES
)


@st.composite
def behaviours(draw: st.DrawFn, family: str) -> Behaviour:
    """What an observation may have at an address of that family."""
    total = draw(st.integers(1, 300))
    if family in SHARES:
        return share(draw(st.integers(0, total)), total)
    return Behaviour(draw(TEXT), total, total)


@st.composite
def observations(draw: st.DrawFn) -> dict[Address, Behaviour]:
    """What one pass showed."""
    addresses = draw(st.lists(ADDRESSES, max_size=15, unique=True))
    return {address: draw(behaviours(address.family)) for address in addresses}


def files(folder: Path) -> dict[str, bytes]:
    """What the folder holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fact(family: str, place: str, answer: str = "200", operation: str = "GET /tasks") -> Address:
    return Address(operation, answer, family, place)  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(observed=observations(), again=observations())
def test_a_record_reads_back_as_it_was_written(
    observed: dict[Address, Behaviour], again: dict[Address, Behaviour], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("record")
    record = merge(HEADER, [{**observed, **again}, observed], None)
    write_record(record, folder)
    assert read_record(folder) == record


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(observed=observations(), data=st.data())
def test_the_order_of_observation_does_not_show(
    observed: dict[Address, Behaviour], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shuffled = dict(data.draw(st.permutations(list(observed.items()))))
    folders = [tmp_path_factory.mktemp("record") for _ in range(2)]
    for folder, observation in zip(folders, (observed, shuffled), strict=True):
        write_record(merge(HEADER, [observation, observation], None), folder)
    assert files(folders[0]) == files(folders[1])


@settings(max_examples=300, deadline=None)
@given(family=st.sampled_from(FAMILIES), data=st.data())
def test_rounding_again_changes_nothing(family: str, data: st.DataObject) -> None:
    behaviour = rounded(fact(family, ""), data.draw(behaviours(family)))
    assert rounded(fact(family, ""), behaviour) == behaviour


@given(count=st.integers(1, 299), total=st.integers(2, 300))
def test_rounding_keeps_sometimes(count: int, total: int) -> None:
    behaviour = rounded(fact("presence", ""), share(min(count, total - 1), total))
    assert behaviour.value == "sometimes"
    assert 0 < behaviour.count < behaviour.total <= max(total, 2)


def test_what_observations_agree_on_is_steady() -> None:
    address = fact("form", "/task/due_on")
    record = merge(HEADER, [{address: Behaviour("date", 12, 12)}, {address: Behaviour("date", 13, 13)}], None)
    assert record.steady == {address: Behaviour("date", 20, 20)}


def test_entries_that_two_observations_list_are_counted_once() -> None:
    address = fact("presence", "/tasks/*/due_on")
    record = merge(HEADER, [{address: share(12, 12)}, {address: share(13, 13)}], None)
    assert record.steady == {address: Behaviour("always", 10, 10)}


def test_what_observations_differ_in_is_unsteady() -> None:
    address = fact("form", "/tasks/*/due_on")
    record = merge(HEADER, [{address: Behaviour("date", 12, 12)}, {address: Behaviour("digits", 12, 12)}], None)
    assert (record.steady, record.unsteady) == ({}, {address: ("date", "digits")})


def test_what_only_one_observation_has_is_unsteady() -> None:
    address = fact("form", "/tasks/*/due_on")
    assert merge(HEADER, [{address: Behaviour("date", 1, 1)}, {}], None).unsteady == {address: ("date", "not seen")}


def test_unsteady_stays_unsteady() -> None:
    address = fact("form", "/tasks/*/due_on")
    earlier = Record(HEADER, {}, {address: ("date", "digits")})
    steady = {address: Behaviour("date", 5, 5)}
    assert merge(HEADER, [steady, steady], earlier).unsteady == {address: ("date", "digits")}


def test_shares_are_added_up() -> None:
    address = fact("presence", "/tasks/*/due_on")
    record = merge(HEADER, [{address: share(10, 20)}, {address: share(20, 20)}], None)
    assert record.steady == {address: Behaviour("sometimes", 28, 40)}  # 75 % is written as 70 %


def test_a_new_question_does_not_make_an_earlier_record_unsteady() -> None:
    address = fact("outcome", "valid: limit 5", answer="")
    observed = {address: Behaviour("200 application/json", 1, 1)}
    assert merge(HEADER, [observed, observed], Record(HEADER, {}, {})).unsteady == {}


def test_days_of_all_observations_are_kept() -> None:
    earlier = Record(replace(HEADER, days=(date(2026, 3, 1),)), {}, {})
    assert merge(HEADER, [{}, {}], earlier).header.days == (date(2026, 3, 1), date(2026, 3, 31))


SMALL = {
    fact("kind", "/tasks"): Behaviour("array", 40, 40),
    fact("presence", "/tasks"): share(40, 40),
    fact("null", "/tasks"): share(0, 40),
    fact("kind", "/tasks/*/due_on"): Behaviour("string", 30, 30),
    fact("form", "/tasks/*/due_on"): Behaviour("date", 12, 12),
    fact("presence", "/tasks/*/due_on"): share(30, 100),
    fact("null", "/tasks/*/due_on"): share(0, 30),
    fact("header", "cache-control"): share(40, 40),
    fact("header value", "cache-control"): Behaviour("no-store", 40, 40),
    fact("outcome", "valid: limit 5", answer=""): Behaviour("200 application/json", 1, 1),
    fact("outcome", "valid: limit 9", answer=""): Behaviour("200 application/json", 1, 1),
    fact("outcome", "missing: query id", answer=""): Behaviour("400 application/json missing id", 1, 1),
    fact("message", "missing: query id", answer=""): Behaviour("id is missing", 1, 1),
}


def test_a_record_is_short_and_readable(tmp_path: Path) -> None:
    unsteady = {fact("header value", "date"): ("HTTP date", "text"), fact("outcome", "valid: x", answer=""): ("a", "b")}
    steady = {**SMALL, **{address._replace(operation="GET /v2/tasks"): value for address, value in SMALL.items()}}
    steady[fact("header", "date")] = share(40, 40)
    steady[fact("kind", "/tasks", operation="GET /v2/tasks")] = Behaviour("object", 40, 40)
    write_record(Record(HEADER, steady, unsteady), tmp_path)
    assert (tmp_path / "GET tasks.yaml").read_text() == EXPECTED
    assert (tmp_path / "shapes.yaml").read_text() == EXPECTED_SHAPES


EXPECTED = """\
# Recorded behaviour; ~ marks what is unsteady and not watched.
operations:
- GET /tasks
- GET /v2/tasks
any:
  outcome:
    usual: {missing: [query id], valid: [limit 5, limit 9]}
200:
  body:
    /tasks: array
    /tasks/*/due_on: {kind: string, presence: sometimes 30 % of 80, form: date (10 seen)}
  headers:
    cache-control: no-store
    date: {value~: [HTTP date, text]}
differs:
  GET /tasks:
    any:
      outcome~: {"valid: x": [a, b]}
  GET /v2/tasks:
    200:
      body:
        /tasks: object
      without: {headers: [date]}
"""


EXPECTED_SHAPES = """\
# What answers of most operations have in common; a file of operations refers to it.
media type: application/json
questions:
  missing: {outcome: "400 missing {name}", message: "{name} is missing"}
  valid: {outcome: 200}
"""


OUTCOMES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["200", "400", "frame", "200 refused", "other"]),
        st.sampled_from(
            ["", " text/csv", " application/json", " application/json; charset=utf-8", " without media type"]
        ),
        st.sampled_from(["", " missing id", " to relative URL", ", allow GET, POST", " malformed", " a/b"]),
    ),
)


@given(OUTCOMES, st.sampled_from(["", "text/csv", "application/json", "application/json; charset=utf-8"]))
def test_the_usual_media_type_is_put_in_again(outcome: str, usual: str) -> None:
    assert lengthened(shortened(outcome, usual), usual) == outcome


def test_another_media_type_of_all_answers_is_a_few_lines(tmp_path: Path) -> None:
    titles = [f"valid: query limit = {number}" for number in range(50)]
    texts = []
    for media in ("application/json", "text/csv"):
        steady = {fact("outcome", title, answer=""): Behaviour(f"200 {media} code x{title[-1]}") for title in titles}
        write_record(Record(HEADER, steady, {}), tmp_path)
        texts.append((tmp_path / "shapes.yaml").read_text().splitlines())
        assert read_record(tmp_path).steady == steady
    assert [pair for pair in zip(*texts, strict=True) if pair[0] != pair[1]] == [
        ("media type: application/json", "media type: text/csv")
    ]


DETAILS = TEXT | st.sampled_from(
    ["query a = 1", "query a = 2", "query a = 1 | 2", "query b: 'x'", "query b: 'y'", " | ", "a = ", "a = 1 = 2"]
)


@given(st.lists(DETAILS, unique=True))
def test_joined_questions_are_separated_again(details: list[str]) -> None:
    entries = joined(details)
    again = [it for entry in entries for it in (separated(entry) if isinstance(entry, str) else entry)]
    assert again == sorted(details)


def test_questions_that_differ_in_a_value_share_a_line() -> None:
    assert joined(["limit = 2", "limit = 1", "size = 1", "id"]) == ["id", "limit = 1 | 2", "size = 1"]


ENVELOPE = {
    address: value
    for name in ("/", "/code", "/status", "/message", "/link")
    for address, value in {
        fact("kind", name, answer="400"): Behaviour("text", 40, 40),
        **({fact("presence", name, answer="400"): share(40, 40)} if name != "/" else {}),
        fact("null", name, answer="400"): share(0, 40),
    }.items()
}


def test_a_shape_that_most_operations_have_is_written_once(tmp_path: Path) -> None:
    steady = {
        address._replace(operation=f"GET /{number}"): value
        for number in range(4)
        for address, value in ENVELOPE.items()
    }
    steady[fact("kind", "/code", answer="400", operation="GET /3")] = Behaviour("number", 40, 40)
    del steady[fact("kind", "/link", answer="400", operation="GET /3")]
    del steady[fact("null", "/link", answer="400", operation="GET /3")]
    del steady[fact("presence", "/link", answer="400", operation="GET /3")]
    record = Record(HEADER, steady, {})
    write_record(record, tmp_path)
    assert read_record(tmp_path).steady == merge(HEADER, [steady, steady], None).steady
    assert (tmp_path / "GET 0.yaml").read_text().endswith("400:\n  shape: shapes.yaml\n")
    expected = "400:\n  shape: shapes.yaml\n  body:\n    /code: number\n  without: {body: [/link]}\n"
    assert (tmp_path / "GET 3.yaml").read_text().endswith(expected)
    write_record(Record(HEADER, {}, {}), tmp_path)
    assert sorted(files(tmp_path)) == ["record.yaml"]


def test_questions_that_most_operations_answer_alike_are_written_once(tmp_path: Path) -> None:
    titles = ("unknown: query x", "missing: query id", "empty: query id", "wrong accept: image/png")
    steady = {
        address: Behaviour(value)
        for number in range(4)
        for title in titles
        for family, value in (("outcome", "400 application/json bad"), ("message", "this is bad"))
        for address in [fact(family, title, answer="", operation=f"GET /{number}")]
    }
    write_record(Record(HEADER, steady, {}), tmp_path)
    assert read_record(tmp_path).steady == steady
    assert (tmp_path / "GET 0.yaml").read_text().endswith("- GET /0\nany:\n  shape: shapes.yaml\n")


def test_another_message_of_all_refusals_is_a_line(tmp_path: Path) -> None:
    texts = []
    for wording in ("{} is missing", "give {}"):
        steady = {
            fact(family, f"missing: query {name}", "", f"GET /{name}"): Behaviour(value)
            for name in ("list", "task", "tag")
            for family, value in (
                ("outcome", f"400 application/json missing {name}"),
                ("message", wording.format(name)),
            )
        }
        write_record(Record(HEADER, steady, {}), tmp_path)
        assert read_record(tmp_path).steady == steady
        texts.append({line for file in tmp_path.glob("*.yaml") for line in file.read_text().splitlines()})
    assert len(texts[0] ^ texts[1]) == 2


def test_a_message_that_is_missing_where_others_have_one_is_noted(tmp_path: Path) -> None:
    steady = {
        fact(family, f"missing: query {name}", ""): Behaviour(value)
        for name in ("list", "task", "tag")
        for family, value in (("outcome", "400"), ("message", "no"))
        if (family, name) != ("message", "tag")
    }
    write_record(Record(HEADER, steady, {}), tmp_path)
    assert read_record(tmp_path).steady == steady


def test_a_shape_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_record(Record(HEADER, {}, {}), tmp_path)
    head = "# Recorded behaviour; ~ marks what is unsteady and not watched.\noperations: [a]\n"
    (tmp_path / "a.yaml").write_text(f"{head}400: {{shape: shapes.yaml}}\n")
    with pytest.raises(UsageError, match=r"line 3: expected shapes\.yaml, and a shape of 400 in it"):
        read_record(tmp_path)


def test_one_change_moves_few_lines(tmp_path: Path) -> None:
    write_record(Record(HEADER, SMALL, {}), tmp_path)
    before = (tmp_path / "GET tasks.yaml").read_text().splitlines()
    changed = {**SMALL, fact("form", "/tasks/*/due_on"): Behaviour("digits", 12, 12)}
    write_record(Record(HEADER, changed, {}), tmp_path)
    after = (tmp_path / "GET tasks.yaml").read_text().splitlines()
    assert len(set(before) ^ set(after)) == 2


def test_the_file_of_a_lost_operation_is_deleted(tmp_path: Path) -> None:
    write_record(Record(HEADER, SMALL, {}), tmp_path)
    (tmp_path / "accepted.yaml").write_text("- id: 000000000000\n")
    write_record(Record(HEADER, {}, {}), tmp_path)
    assert sorted(files(tmp_path)) == ["accepted.yaml", "record.yaml"]


def test_labels_that_differ_in_case_have_files_of_their_own(tmp_path: Path) -> None:
    steady = {
        fact("page", "style", operation=name): Behaviour("none") for name in ("GET /tasks", "get /tasks", "Record")
    }
    write_record(Record(HEADER, steady, {}), tmp_path)
    assert len({name.casefold() for name in files(tmp_path)} - {"shapes.yaml"}) == 4


def test_the_file_of_an_operation_is_known(tmp_path: Path) -> None:
    write_record(Record(HEADER, {fact("kind", "/x", operation="GET /{id}: x"): Behaviour("y")}, {}), tmp_path)
    assert file_of(tmp_path, "GET /{id}: x").name == "GET {id}_ x.yaml"
    assert file_of(tmp_path, "GET /other").name == "record.yaml"


def test_a_folder_without_a_header_has_no_record(tmp_path: Path) -> None:
    assert not has_record(tmp_path)
    with pytest.raises(UsageError, match="there is no record"):
        read_record(tmp_path)


BAD = {
    "a list": ("- a\n", "line 2: expected names with values, got a seq"),
    "no operations": ("any: {}\n", "line 1: expected `operations:`"),
    "an unknown family": ("operations: [a]\nany: {colour: {x: y}}\n", "line 3: 'colour' is unknown: expected"),
    "an unknown part of a line": ("operations: [a]\nany: {body: {/x: {hue: y}}}\n", "line 3: 'hue' is unknown"),
    "a share that is none": (
        "operations: [a]\nany:\n  body: {/x: {presence: often}}\n",
        "line 4: got 'often': expected always, never or such as 'sometimes 20 % of 40'",
    ),
    "a share of nothing": (
        "operations: [a]\nany: {body: {/x: {presence: sometimes 0 % of 4}}}\n",
        "expected 1 to 99 %",
    ),
    "sightings that are no number": ("operations: [a]\nany: {body: {/x: {seen: few}}}\n", "expected a whole number"),
    "all of an unknown sort": ("operations: [a]\nany: {message: {x: {valid: all}}}\n", "expected a list of questions"),
    "a difference of nobody": ("operations: [a]\ndiffers: {b: {any: {}}}\n", "'b' is none of the operations"),
    "a name twice": ("operations: [a]\nany: {}\nany: {}\n", "'any' stands here twice"),
    "no YAML": ("operations: [a\n", "this is no YAML"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_what_a_record_may_not_have_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    write_record(Record(HEADER, {}, {}), tmp_path)
    (tmp_path / "a.yaml").write_text("# Recorded behaviour; ~ marks what is unsteady and not watched.\n" + text)
    with pytest.raises(UsageError) as raised:
        read_record(tmp_path)
    assert str(tmp_path / "a.yaml") in str(raised.value)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("plan: xyz", "expected 12 hex digits, got 'xyz'"),
        ("plan_size: huge", "expected small or full, got 'huge'"),
        ("days: [2026-02-31]", "expected a day such as 2026-03-31, got '2026-02-31'"),
        ("colour: red", "'colour' is unknown: expected api, target"),
    ],
)
def test_a_header_is_read_strictly(line: str, message: str, tmp_path: Path) -> None:
    write_record(Record(HEADER, {}, {}), tmp_path)
    name = line.partition(":")[0]
    header = (tmp_path / "record.yaml").read_text()
    kept = [other for other in header.splitlines() if not other.startswith((f"{name}:", "- "))]
    (tmp_path / "record.yaml").write_text("\n".join([*kept, line]))
    with pytest.raises(UsageError, match=r"record\.yaml, line \d+: .*") as raised:
        read_record(tmp_path)
    assert message in str(raised.value)


def test_a_header_needs_all_its_names(tmp_path: Path) -> None:
    write_record(Record(HEADER, {}, {}), tmp_path)
    (tmp_path / "record.yaml").write_text("api: todo\n")
    with pytest.raises(UsageError, match="expected target, plan, contract, plan_size, version, days as well"):
        read_record(tmp_path)


def test_an_operation_stands_in_one_file(tmp_path: Path) -> None:
    write_record(Record(HEADER, SMALL, {}), tmp_path)
    (tmp_path / "copy.yaml").write_bytes((tmp_path / "GET tasks.yaml").read_bytes())
    with pytest.raises(UsageError, match=r"GET /tasks stands in GET tasks\.yaml too"):
        read_record(tmp_path)


def test_counted_families_are_families() -> None:
    assert set(COUNTED) <= set(FAMILIES)
    assert not set(string.ascii_uppercase) & set("".join(FAMILIES))
