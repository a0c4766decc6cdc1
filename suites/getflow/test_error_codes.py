"""Which mistake has which code, on every endpoint where it can be made: document lines 72 to 77."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api
from fixtures.cases import encode
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.comparing import for_all
from suites.getflow.dialect import (
    CALLS,
    FLOW,
    MADE,
    VERSIONED,
    WAYS,
    Kind,
    Row,
    ask,
    calls,
    codes,
    documented,
    problems,
    record,
    refused,
    shown,
    succeeded,
)
from suites.getflow.mistakes import FIVE, each_problem, provoked
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


def _told(exchange: Exchange) -> list[tuple[Any, Any]]:
    return [(one.get("code"), one.get("attribute")) for one in problems(exchange)]


def _attributes(kind: Kind, action: str) -> dict[str, Any]:
    """The schema of each attribute that a creation or an update takes."""
    operation = kind.operation(action)
    assert operation.body is not None
    return dict(FLOW.resolve(operation.body.schema)["properties"][kind.singular]["properties"])


@clause("GETFLOW-ERR-9")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_an_unheard_of_parameter_is_unsupported(api: Api, bench: Bench, readings: Observed, way: int) -> None:
    """On every method of every endpoint one in the query is refused by its name, or passed over."""
    ids = bench.ids()
    for kind, action in calls(api):
        sent = bench.needs(kind) if action == "create" else {"name": "n"} if action == "update" else None
        name = api.unique("zz_")
        exchange = ask(api, kind, action, ids[kind], query={name: "1"}, sent=sent, way=way)
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
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_a_required_parameter_that_is_left_out_is_missing(api: Api, bench: Bench, way: int) -> None:
    """organization_id is told as missing_param by every method of every endpoint, whatever else is sent."""
    ids = bench.ids()
    for kind, action in calls(api):
        sent = {"name": "n"} if action in ("create", "update") else None
        exchange = ask(api, kind, action, ids[kind], query={"organization_id": None}, sent=sent, way=way)
        refused(api, exchange, "GETFLOW-ERR-10")
        assert ("missing_param", "organization_id") in _told(exchange), f"{action} {kind}: {shown(exchange)}"


@clause("GETFLOW-ERR-10")
@pytest.mark.parametrize("kind", MADE, ids=str)
def test_a_required_attribute_that_is_left_out_is_named(api: Api, bench: Bench, readings: Observed, kind: Kind) -> None:
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
        for lacking in (b"{}", b'{"nothing": {}}', encode(bench.needs(kind))):
            exchange = ask(api, kind, "create", body=lacking, headers={"Content-Type": VERSIONED}, way=way)
            refused(api, exchange, "GETFLOW-ERR-10")
            due = {"missing_param", "invalid_attribute"} & set(map(str, codes(exchange)))
            assert due, f"create {kind} with {lacking!r}: {shown(exchange)}"


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


@clause("GETFLOW-ERR-7")
def test_the_same_mistake_has_the_same_code(api: Api, bench: Bench) -> None:
    """Each code is a text, and a mistake that is made again has it again."""
    first_time, second_time = list(provoked(api, bench)), list(provoked(api, bench))
    for one, again in zip(first_time, second_time, strict=False):
        if one.title == again.title:
            told = codes(one.exchange)
            assert all(isinstance(code, str) and code for code in told), f"{one.title}: {told}"
            assert told == codes(again.exchange), f"{one.title}: {codes(again.exchange)} the second time"


@clause("GETFLOW-ERR-8")
def test_codes_are_of_the_closed_list(api: Api, bench: Bench) -> None:
    """No mistake that the list names has a code that is not one of the five."""
    for one, problem in each_problem(api, bench):
        if one.code:
            assert problem.get("code") in FIVE, f"{one.title}: {problem.get('code')!r}"


@clause("GETFLOW-ERR-8")
def test_other_failures_take_a_code_of_the_list_or_one_of_their_own(api: Api, bench: Bench, readings: Observed) -> None:
    """For failures that the list does not name, such as a wrong token, it says whether the list is still closed."""
    told = [code for one in provoked(api, bench) if not one.code for code in codes(one.exchange)]
    readings.one_of("GETFLOW-AMB-5", listed=all(code in FIVE for code in told), own=True)


@clause("GETFLOW-ERR-20")
def test_refusals_have_the_status_of_their_kind(api: Api, bench: Bench, readings: Observed) -> None:
    """All have one of the class 4XX; whether exactly those of the public page is recorded."""
    exact = {"value": 400, "credentials": 401, "absence": 404}
    public = True
    for one in provoked(api, bench):
        status = one.exchange.answer.status
        assert 400 <= status < 500, f"{one.title}: {shown(one.exchange)}"
        public &= status == exact[one.sort] or one.code in (None, "not_modified")
        if one.sort == "credentials":
            assert status == 401, f"{one.title}: {status}"
    readings.one_of("GETFLOW-AMB-3", public=public, of_the_class=True)
