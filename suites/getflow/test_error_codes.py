"""Which mistake has which code, on every endpoint where it can be made: document lines 72 to 77."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.dialect import (
    ABSENT,
    CALLS,
    KINDS,
    LISTS,
    MADE,
    MEMBERSHIPS,
    TASKS,
    WAYS,
    WORKSPACES,
    Kind,
    Row,
    accepted,
    ask,
    codes,
    documented,
    first,
    for_all,
    identity,
    problems,
    record,
    refused,
    rows,
    shown,
    succeeded,
    whole,
)
from suites.getflow.mistakes import FIVE, provoked
from suites.readings import Observed

clause = pytest.mark.clause
UNHEARD_OF = st.text(st.characters(codec="ascii", categories=("Ll",)), min_size=1, max_size=10).map("zz_{}".format)
NO_NUMBERS = st.sampled_from(["abc", "1.5", "1e3", "ten", "0x10", "1,000", "true", "[1]", "１２"])
WRONG_TYPES: dict[str, Any] = {  # values of any other type than each attribute's own
    "string": st.integers() | st.booleans() | st.lists(st.text(max_size=3), max_size=2) | st.just({"a": 1}),
    "integer": st.sampled_from(["abc", "", "1x"]) | st.lists(st.integers(), max_size=2) | st.floats(0.1, 0.9),
    "boolean": st.sampled_from(["yes", "maybe", "on"]) | st.lists(st.booleans(), max_size=2) | st.just({"a": 1}),
    "array": st.sampled_from(["später", 5, {"a": 1}, True]) | st.lists(st.integers(), min_size=1, max_size=2),
}
REFERENCES = [
    (TASKS, "workspace_id"),
    (TASKS, "list_id"),
    (TASKS, "owner_id"),
    (LISTS, "workspace_id"),
    (MEMBERSHIPS, "workspace_id"),
    (MEMBERSHIPS, "account_id"),
]


def _told(exchange: Exchange) -> list[tuple[Any, Any]]:
    return [(one.get("code"), one.get("attribute")) for one in problems(exchange)]


def _attributes(kind: Kind, action: str) -> dict[str, Any]:
    """The schema of each attribute that a creation or an update takes."""
    operation = kind.operation(action)
    assert operation.body is not None
    from suites.getflow.dialect import FLOW

    return dict(FLOW.resolve(operation.body.schema)["properties"][kind.singular]["properties"])


@clause("GETFLOW-ERR-9")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_an_unheard_of_parameter_is_unsupported(api: Api, bench: Bench, readings: Observed, way: int) -> None:
    """On every method of every endpoint one in the query is refused by its name, or passed over."""
    own = bench.one_of_each()
    for kind, action in CALLS:
        made = own[kind]["id"] if kind in own else first(api, kind, "GETFLOW-ERR-9", limit=1)[0].get("id")
        sent = bench.needs(kind) if action == "create" else {"name": "n"} if action == "update" else None
        name = api.unique("zz_")
        exchange = ask(api, kind, action, made, query={name: "1"}, sent=sent, way=way)
        _is_unsupported(api, exchange, name, readings)
        if action == "create" and succeeded(exchange):
            bench.keep(kind, record(api, exchange, kind, "GETFLOW-ERR-9")["id"])


@clause("GETFLOW-ERR-9")
@pytest.mark.parametrize("kind", MADE, ids=str)
def test_an_unheard_of_attribute_is_unsupported(api: Api, bench: Bench, readings: Observed, kind: Kind) -> None:
    """In the body of a creation or an update, whatever its name and value, it is refused by name or passed over."""
    own, needs = bench.make(kind), bench.needs(kind)
    actions = [action for action in ("create", "update") if kind.can(action)]

    def holds(action: str, name: str, value: Any) -> None:
        sent = {**(needs if action == "create" else {"name": own.get("name")}), name: value}
        exchange = ask(api, kind, action, own["id"], sent=sent)
        _is_unsupported(api, exchange, name, readings)
        if action == "create" and succeeded(exchange):
            bench.keep(kind, record(api, exchange, kind, "GETFLOW-ERR-9")["id"])

    values = st.none() | st.integers(0, 9) | st.text(max_size=5) | st.just([]) | st.booleans()
    for_all(holds, 8, action=st.sampled_from(actions), name=UNHEARD_OF, value=values)


def _is_unsupported(api: Api, exchange: Exchange, name: str, readings: Observed) -> None:
    documented(api, exchange, "GETFLOW-ERR-9")
    if not succeeded(exchange):
        if "unsupported_param" not in codes(exchange):
            raise broken(api, "GETFLOW-ERR-9", f"unsupported_param for {name}", shown(exchange), exchange)
        if ("unsupported_param", name) not in _told(exchange):
            raise broken(api, "GETFLOW-ERR-16", f"the attribute {name}", shown(exchange), exchange)
    readings.one_of("GETFLOW-AMB-6", refused=not succeeded(exchange), ignored=succeeded(exchange))


@clause("GETFLOW-ERR-10")
@pytest.mark.parametrize("kind", MADE, ids=str)
def test_a_required_attribute_that_is_left_out_is_named(
    api: Api, bench: Bench, readings: Observed, kind: Kind
) -> None:
    """Each attribute that a creation needs is told as missing, or as invalid, when it is not there."""
    needs = bench.needs(kind)
    for name in needs:
        rest = {key: value for key, value in needs.items() if key != name}
        exchange = ask(api, kind, "create", sent=rest or {})
        refused(api, exchange, "GETFLOW-ERR-10")
        told = _told(exchange)
        of_the_object = not rest and ("missing_param", kind.singular) in told  # nothing is left of it
        readings.one_of(
            "GETFLOW-AMB-4",
            missing=("missing_param", name) in told or of_the_object,
            invalid=("invalid_attribute", name) in told,
        )


@clause("GETFLOW-ERR-10")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_no_body_lacks_its_object(api: Api, bench: Bench, way: int) -> None:
    """A creation with no object under its singular name is refused as missing or invalid."""
    for kind in MADE:
        for body in (b"{}", b'{"nothing": {}}', json.dumps(bench.needs(kind)).encode()):
            headers = {"Content-Type": "application/vnd.flow.v2+json"}
            exchange = ask(api, kind, "create", body=body, headers=headers, way=way)
            refused(api, exchange, "GETFLOW-ERR-10")
            due = {"missing_param", "invalid_attribute"} & set(map(str, codes(exchange)))
            assert due, f"create {kind} with {body!r}: {shown(exchange)}"


@clause("GETFLOW-ERR-11", "GETFLOW-ERR-16")
def test_a_parameter_of_the_wrong_type_is_named(api: Api) -> None:
    """A text where a number or a flag belongs is refused with invalid_attribute and that parameter's name."""
    spots = [
        (kind, action, one)
        for kind, action in CALLS
        if action == "list"
        for one in kind.operation(action).parameters
        if one.schema.get("type") in ("integer", "boolean") and one.name != "cursor"
    ]

    def holds(spot: Any, text: str, way: int) -> None:
        kind, action, parameter = spot
        if parameter.schema["type"] == "boolean" and text in ("true", "１２"):
            text = "maybe"
        exchange = ask(api, kind, action, query={parameter.name: text}, way=way)
        refused(api, exchange, "GETFLOW-ERR-11")
        assert "invalid_attribute" in codes(exchange), f"{parameter.name}={text}: {shown(exchange)}"
        if ("invalid_attribute", parameter.name) not in _told(exchange):
            raise broken(api, "GETFLOW-ERR-16", f"the attribute {parameter.name}", shown(exchange), exchange)

    for_all(holds, 25, spot=st.sampled_from(spots), text=NO_NUMBERS, way=st.sampled_from(WAYS))


@clause("GETFLOW-ERR-11")
@pytest.mark.parametrize("kind", MADE, ids=str)
def test_an_attribute_of_the_wrong_type_is_named(api: Api, bench: Bench, kind: Kind) -> None:
    """Any value of another type is refused by its name, in a creation and in an update, and changes nothing."""
    own, needs = bench.make(kind), bench.needs(kind)
    schemas = _attributes(kind, "create")
    actions = [action for action in ("create", "update") if kind.can(action)]
    wrong = st.sampled_from(sorted(schemas)).flatmap(lambda name: st.tuples(st.just(name), _wrong(schemas[name])))

    def holds(action: str, spot: tuple[str, Any], way: int) -> None:
        name, value = spot
        sent = {**(needs if action == "create" else {}), name: value}
        exchange = ask(api, kind, action, own["id"], sent=sent, way=way)
        assert not succeeded(exchange), f"{action} {kind} took {name}: {value!r}"
        refused(api, exchange, "GETFLOW-ERR-11")
        due = [("invalid_attribute", name), *([("missing_param", name)] if value in ("", [], {}) else [])]
        assert any(one in _told(exchange) for one in due), f"{name}={value!r}: {shown(exchange)}"

    for_all(holds, 20, action=st.sampled_from(actions), spot=wrong, way=st.sampled_from(WAYS))
    after = record(api, ask(api, kind, "read", own["id"]), kind, "GETFLOW-ERR-11")
    assert {name: after.get(name) for name in schemas} == {name: own.get(name) for name in schemas}


def _wrong(schema: Row) -> Any:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return WRONG_TYPES[kinds[0]]


@clause("GETFLOW-ERR-12")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_a_record_that_is_not_there_is_not_found(api: Api, way: int) -> None:
    """An id that no record has is told so by every method of every endpoint that takes one."""
    calls = [(kind, action) for kind, action in CALLS if action in ("read", "update", "delete")]

    def holds(call: tuple[Kind, str], identifier: int) -> None:
        kind, action = call
        sent = {"name": "nobody"} if action == "update" else None
        exchange = ask(api, kind, action, identifier, sent=sent, way=way)
        refused(api, exchange, "GETFLOW-ERR-12")
        assert codes(exchange) == ["record_not_found"], f"{action} {kind} {identifier}: {shown(exchange)}"

    for_all(holds, 20, call=st.sampled_from(calls), identifier=st.integers(ABSENT, 2147483647))


@clause("GETFLOW-ERR-12")
@pytest.mark.parametrize(("kind", "name"), REFERENCES, ids=str)
def test_an_id_in_a_body_must_be_of_a_record(api: Api, bench: Bench, kind: Kind, name: str) -> None:
    """A creation or an update that points to nothing is refused, and an update changes nothing."""
    own, needs = bench.make(kind), bench.needs(kind)
    for action in [one for one in ("create", "update") if kind.can(one)]:
        sent = {**(needs if action == "create" else {}), name: ABSENT}
        exchange = ask(api, kind, action, own["id"], sent=sent)
        assert not succeeded(exchange), f"{action} with {name} {ABSENT}: {shown(exchange)}"
        refused(api, exchange, "GETFLOW-ERR-12")
        due = {"record_not_found", "invalid_attribute"} & set(map(str, codes(exchange)))
        assert due, f"{action} with {name} {ABSENT}: {shown(exchange)}"
    assert record(api, ask(api, kind, "read", own["id"]), kind, "GETFLOW-ERR-12").get(name) == own.get(name)


@clause("GETFLOW-ERR-12")
@pytest.mark.parametrize("name", ["workspace_id", "list_id", "owner_id"])
def test_a_filter_by_nothing_shows_nothing(api: Api, readings: Observed, name: str) -> None:
    """Tasks of a workspace, list or owner that is not there are none, or the request is refused."""
    exchange = ask(api, TASKS, "list", query={name: ABSENT})
    documented(api, exchange, "GETFLOW-ERR-12")
    readings.one_of(
        "GETFLOW-AMB-34",
        nothing=succeeded(exchange) and not rows(api, exchange, TASKS, "GETFLOW-ERR-12"),
        refused=not succeeded(exchange) and "record_not_found" in codes(exchange),
    )


@clause("GETFLOW-ERR-13")
def test_a_record_that_takes_no_change_says_so(api: Api, readings: Observed) -> None:
    """An update of such a record, to what it is already, is refused with not_modified, and it stays as it is."""
    identifier = api.setting("CLEARED_TASK_ID")
    before = record(api, ask(api, TASKS, "read", identifier), TASKS, "GETFLOW-ERR-13")
    for way in WAYS:
        exchange = ask(api, TASKS, "update", identifier, sent={"name": before.get("name")}, way=way)
        assert not succeeded(exchange), shown(exchange)
        assert codes(exchange) == ["not_modified"] or exchange.answer.status == 304, shown(exchange)
        refusal = 400 <= exchange.answer.status < 500
        readings.one_of("GETFLOW-AMB-29", refusal=refusal, not_changed=exchange.answer.status == 304)
        documented(api, exchange, "GETFLOW-ERR-13")
    assert record(api, ask(api, TASKS, "read", identifier), TASKS, "GETFLOW-ERR-13") == before


@clause("GETFLOW-ERR-13")
@pytest.mark.parametrize(
    ("holder", "held", "name"),
    [(WORKSPACES, LISTS, "workspace_id"), (WORKSPACES, TASKS, "workspace_id"), (LISTS, TASKS, "list_id")],
    ids=str,
)
def test_what_still_holds_something_is_deleted_with_it_or_not_at_all(
    api: Api, bench: Bench, holder: Kind, held: Kind, name: str
) -> None:
    """Deleting it is refused with not_modified and deletes nothing, or nothing points to it afterwards."""
    outer = bench.make(holder)
    inner = bench.make(held, **{name: outer["id"]})
    exchange = ask(api, holder, "delete", outer["id"])
    if not succeeded(exchange):
        refused(api, exchange, "GETFLOW-ERR-13")
        assert codes(exchange) == ["not_modified"], shown(exchange)
        assert succeeded(ask(api, holder, "read", outer["id"])), "refused, and deleted all the same"
        return
    left = ask(api, held, "read", inner["id"])
    points = succeeded(left) and record(api, left, held, "GETFLOW-ERR-13").get(name) == outer["id"]
    assert not points, f"{held.singular} {inner['id']} points to {holder.singular} {outer['id']}, which is deleted"


@clause("GETFLOW-ERR-18", "GETFLOW-ERR-10")
def test_an_empty_optional_parameter_is_refused_or_left_out(api: Api, readings: Observed) -> None:
    """On any list an empty value is refused by its name, or the answer is that without the parameter."""
    spots = [
        (kind, one.name)
        for kind in KINDS
        for one in kind.operation("list").parameters
        if one.place == "query" and not one.required
    ]

    def holds(spot: tuple[Kind, str]) -> None:
        kind, name = spot
        exchange = ask(api, kind, "list", query={name: ""})
        documented(api, exchange, "GETFLOW-ERR-18")
        told = {code for code, attribute in _told(exchange) if attribute == name}
        readings.one_of(
            "GETFLOW-AMB-32",
            refused=not succeeded(exchange) and bool(told & {"missing_param", "invalid_attribute"}),
            left_out=lambda: succeeded(exchange) and _ids(api, exchange, kind) == _ids(api, ask(api, kind, "list"), kind),
        )

    for_all(holds, 15, spot=st.sampled_from(spots))


def _ids(api: Api, exchange: Exchange, kind: Kind) -> list[Any]:
    return [identity(row) for row in rows(api, exchange, kind, "GETFLOW-ERR-18")]
