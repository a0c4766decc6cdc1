"""Which failure has which code, on every endpoint where it can occur: document lines 72 to 77."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from contracts.exchange import Exchange
from contracts.judge.refusal_judge import may_be_accepted
from contracts.operation import Parameter
from fixtures.cases import encode_json
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    CREATABLE_KINDS,
    OPERATIONS,
    TASKS,
    V2_MEDIA_TYPE,
    VERSIONINGS,
    Record,
    RecordKind,
    check_documented,
    codes_and_attributes,
    is_success,
    permitted_operations,
    problem_codes,
    refusal_problems,
    require_known,
    response_text,
    send,
    single_record,
)
from suites.getflow.known_requests import CONTRACT
from suites.getflow.record_factory import RecordFactory
from suites.getflow.refused_requests import DOCUMENTED_CODES, refused_requests, reported_problems
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings, observation
from suites.reporting.failures import violation

clause = pytest.mark.clause
UNKNOWN_NAMES = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=10).map("zz_{}".format)
NO_NUMBERS = st.sampled_from(["abc", "1.5", "1e3", "ten", "0x10", "1,000", "true", "[1]", "１２"])
WRONG_TYPES: dict[str, Any] = {  # values of any other type than each attribute's own
    "string": st.integers() | st.booleans() | st.lists(st.text(max_size=3), max_size=2) | st.just({"a": 1}),
    "integer": st.sampled_from(["abc", "", "1x"]) | st.lists(st.integers(), max_size=2) | st.floats(0.1, 0.9),
    "boolean": st.sampled_from(["yes", "maybe", "on"]) | st.lists(st.booleans(), max_size=2) | st.just({"a": 1}),
    "array": st.sampled_from(["später", 5, {"a": 1}, True]) | st.lists(st.integers(), min_size=1, max_size=2),
}


def _attributes(kind: RecordKind, action: str) -> dict[str, Any]:
    """The schema of each attribute that a creation or an update accepts."""
    operation = kind.operation(action)
    assert operation.body is not None
    return dict(CONTRACT.resolve(operation.body.schema)["properties"][kind.singular]["properties"])


@clause("GETFLOW-ERR-9")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_an_unknown_parameter_is_unsupported(
    api: Api, factory: RecordFactory, readings: ObservedReadings, versioning: int
) -> None:
    """On every operation an unknown query parameter is refused by its name, or ignored."""
    ids = factory.ids_by_kind()
    for kind, action in permitted_operations(api):
        attributes = (
            factory.required_attributes(kind) if action == "create" else {"name": "n"} if action == "update" else None
        )
        name = api.unique_text("zz_")
        exchange = send(api, kind, action, ids[kind], query={name: "1"}, attributes=attributes, versioning=versioning)
        _assert_unsupported(api, exchange, name, readings)
        if action == "create" and is_success(exchange):
            factory.delete_later(kind, single_record(api, exchange, kind, "GETFLOW-ERR-9")["id"])


@clause("GETFLOW-ERR-9")
@pytest.mark.parametrize("kind", CREATABLE_KINDS, ids=str)
def test_an_unknown_attribute_is_unsupported(
    api: Api, factory: RecordFactory, readings: ObservedReadings, kind: RecordKind
) -> None:
    """An unknown attribute of a creation or an update is refused by its name, or ignored."""
    own_record, required = factory.create(kind), factory.required_attributes(kind)
    actions = [action for action in ("create", "update") if kind.supports(action)]

    def check(action: str, name: str, value: Any) -> None:
        attributes = {**(required if action == "create" else {"name": own_record.get("name")}), name: value}
        exchange = send(api, kind, action, own_record["id"], attributes=attributes)
        _assert_unsupported(api, exchange, name, readings)
        if action == "create" and is_success(exchange):
            factory.delete_later(kind, single_record(api, exchange, kind, "GETFLOW-ERR-9")["id"])

    values: SearchStrategy[Any] = st.none() | st.integers(0, 9) | st.text(max_size=5) | st.just([]) | st.booleans()
    for_all(check, 8, action=st.sampled_from(actions), name=UNKNOWN_NAMES, value=values)


def _assert_unsupported(api: Api, exchange: Exchange, name: str, readings: ObservedReadings) -> None:
    check_documented(api, exchange, "GETFLOW-ERR-9")
    if not is_success(exchange):
        if "unsupported_param" not in problem_codes(exchange):
            raise violation(api, "GETFLOW-ERR-9", f"unsupported_param for {name}", response_text(exchange), exchange)
        if ("unsupported_param", name) not in codes_and_attributes(exchange):
            raise violation(api, "GETFLOW-ERR-16", f"the attribute {name}", response_text(exchange), exchange)
    readings.observe("GETFLOW-AMB-6", refused=not is_success(exchange), ignored=is_success(exchange))


@clause("GETFLOW-ERR-10")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_a_missing_required_parameter_is_named(api: Api, factory: RecordFactory, versioning: int) -> None:
    """Every operation reports a missing organization_id as missing_param, whatever else is sent."""
    ids = factory.ids_by_kind()
    for kind, action in permitted_operations(api):
        attributes = {"name": "n"} if action in ("create", "update") else None
        exchange = send(
            api, kind, action, ids[kind], query={"organization_id": None}, attributes=attributes, versioning=versioning
        )
        if is_success(exchange) and (kind, action) != (TASKS, "list"):
            continue  # it may be left out there
        refusal_problems(api, exchange, "GETFLOW-ERR-10")
        assert ("missing_param", "organization_id") in codes_and_attributes(exchange), (
            f"{action} {kind}: {response_text(exchange)}"
        )


@clause("GETFLOW-NAME-4")
@pytest.mark.parametrize("kind", CREATABLE_KINDS, ids=str)
def test_a_missing_required_attribute_is_named(
    api: Api, factory: RecordFactory, readings: ObservedReadings, kind: RecordKind
) -> None:
    """Each required attribute that a creation omits is reported as missing or as invalid."""
    factory.create(kind)  # where even a complete creation is refused, no refusal says what is missing
    required = factory.required_attributes(kind)
    for name in required:
        others = {attribute: value for attribute, value in required.items() if attribute != name}
        exchange = send(api, kind, "create", attributes=others or {})
        refusal_problems(api, exchange, "GETFLOW-NAME-4")
        reported = codes_and_attributes(exchange)
        object_is_missing = not others and ("missing_param", kind.singular) in reported  # nothing is left of it
        readings.one_of(
            "GETFLOW-AMB-4",
            missing=("missing_param", name) in reported or object_is_missing,
            invalid=("invalid_attribute", name) in reported,
        )


@clause("GETFLOW-NAME-4")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_a_body_without_its_object_is_refused(api: Api, factory: RecordFactory, versioning: int) -> None:
    """A creation without an object under its singular name is refused as missing or invalid."""
    for kind in CREATABLE_KINDS:
        for body in (b"{}", b'{"nothing": {}}', encode_json(factory.required_attributes(kind))):
            exchange = send(
                api, kind, "create", body=body, headers={"Content-Type": V2_MEDIA_TYPE}, versioning=versioning
            )
            refusal_problems(api, exchange, "GETFLOW-NAME-4")
            expected = {"missing_param", "invalid_attribute"} & set(map(str, problem_codes(exchange)))
            assert expected, f"create {kind} with {body!r}: {response_text(exchange)}"


def _wrong_type_rule(parameter: Parameter) -> Mapping[str, Any]:
    rule: Mapping[str, Any] = parameter.schema.get("x-refusals", {}).get("wrong_type", {})
    return rule


@clause("GETFLOW-ERR-11", "GETFLOW-ERR-16")
def test_a_parameter_of_the_wrong_type_is_named(api: Api) -> None:
    """A text instead of a number or boolean is refused with invalid_attribute and the parameter's name.

    Parameters that only public clients show, and those that a list may do without, are no promise of the document.
    """
    typed_parameters = [
        (kind, action, parameter)
        for kind, action in OPERATIONS
        if action == "list"
        for parameter in kind.operation(action).parameters
        if parameter.schema.get("type") in ("integer", "boolean") and parameter.name != "cursor"
        if parameter.lines.get("name") and not may_be_accepted(_wrong_type_rule(parameter), os.environ)
    ]

    def check(typed_parameter: Any, text: str, versioning: int) -> None:
        kind, action, parameter = typed_parameter
        if parameter.schema["type"] == "boolean" and text in ("true", "１２"):
            text = "maybe"
        exchange = send(api, kind, action, query={parameter.name: text}, versioning=versioning)
        require_known(api, exchange, parameter.name)
        refusal_problems(api, exchange, "GETFLOW-ERR-11")
        assert "invalid_attribute" in problem_codes(exchange), f"{parameter.name}={text}: {response_text(exchange)}"
        if ("invalid_attribute", parameter.name) not in codes_and_attributes(exchange):
            raise violation(api, "GETFLOW-ERR-16", f"the attribute {parameter.name}", response_text(exchange), exchange)

    for_all(
        check,
        25,
        typed_parameter=st.sampled_from(typed_parameters),
        text=NO_NUMBERS,
        versioning=st.sampled_from(VERSIONINGS),
    )


@clause("GETFLOW-ERR-11")
@pytest.mark.parametrize("kind", CREATABLE_KINDS, ids=str)
def test_an_attribute_of_the_wrong_type_is_named(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """A value of another type is refused by its attribute's name, in creations and updates, and changes nothing."""
    own_record, required = factory.create(kind), factory.required_attributes(kind)
    schemas = _attributes(kind, "create")
    actions = [action for action in ("create", "update") if kind.supports(action)]
    wrong_values = st.sampled_from(sorted(schemas)).flatmap(
        lambda name: st.tuples(st.just(name), _wrongly_typed(schemas[name]))
    )

    def check(action: str, name_and_value: tuple[str, Any], versioning: int) -> None:
        name, value = name_and_value
        attributes = {**(required if action == "create" else {}), name: value}
        exchange = send(api, kind, action, own_record["id"], attributes=attributes, versioning=versioning)
        require_known(api, exchange, name)
        assert not is_success(exchange), f"{action} {kind} took {name}: {value!r}"
        refusal_problems(api, exchange, "GETFLOW-ERR-11")
        expected = [("invalid_attribute", name), *([("missing_param", name)] if value in ("", [], {}) else [])]
        assert any(problem in codes_and_attributes(exchange) for problem in expected), (
            f"{name}={value!r}: {response_text(exchange)}"
        )

    for_all(
        check, 20, action=st.sampled_from(actions), name_and_value=wrong_values, versioning=st.sampled_from(VERSIONINGS)
    )
    after = single_record(api, send(api, kind, "read", own_record["id"]), kind, "GETFLOW-ERR-11")
    assert {name: after.get(name) for name in schemas} == {name: own_record.get(name) for name in schemas}


def _wrongly_typed(schema: Record) -> Any:
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return WRONG_TYPES[types[0]]


@clause("GETFLOW-ERR-7")
def test_a_repeated_request_is_refused_with_the_same_codes(api: Api, factory: RecordFactory) -> None:
    """A request that is refused twice has the same codes both times, and each code is a text."""
    first, second = (
        {refused.title: problem_codes(refused.exchange) for refused in refused_requests(api, factory)} for _ in range(2)
    )
    repeated = [title for title in first if title in second and (first[title] or second[title])]
    if not repeated:
        raise MissingPrecondition("no request was refused twice with a code")
    for title in repeated:
        assert all(isinstance(code, str) and code for code in first[title]), f"{title}: {first[title]}"
        assert first[title] == second[title], f"{title}: first {first[title]}, then {second[title]}"


@clause("GETFLOW-ERR-8")
def test_documented_failures_have_the_documented_codes(api: Api, factory: RecordFactory) -> None:
    """Every failure that the document's list names has one of its five codes."""
    documented = [(refused, problem) for refused, problem in reported_problems(api, factory) if refused.code]
    if not documented:
        raise MissingPrecondition("no refusal of a documented failure reports a problem")
    for refused, problem in documented:
        assert problem.get("code") in DOCUMENTED_CODES, f"{refused.title}: {problem.get('code')!r}"


@observation("GETFLOW-AMB-5")
def test_observe_codes_of_other_failures(api: Api, factory: RecordFactory, readings: ObservedReadings) -> None:
    """Failures that the document does not list, such as a wrong token, have codes of its list or of their own."""
    codes = [
        code
        for refused in refused_requests(api, factory)
        if not refused.code
        for code in problem_codes(refused.exchange)
    ]
    if not codes:
        raise MissingPrecondition("no refusal of another failure reports a code")
    readings.observe("GETFLOW-AMB-5", listed=all(code in DOCUMENTED_CODES for code in codes), own=True)


@clause("GETFLOW-ERR-20")
def test_refusals_have_the_status_of_their_kind(api: Api, factory: RecordFactory, readings: ObservedReadings) -> None:
    """Every refusal has a 4xx status, and one for wrong credentials has 401; whether all have the public statuses is
    observed.
    """
    public_statuses = {"value": 400, "credentials": 401, "absence": 404}
    all_public = True
    for refused in refused_requests(api, factory):
        status = refused.exchange.response.status
        assert 400 <= status < 500, f"{refused.title}: {response_text(refused.exchange)}"
        all_public &= status == public_statuses[refused.category] or refused.code in (None, "not_modified")
        if refused.category == "credentials":
            assert status == 401, f"{refused.title}: {status}"
    readings.observe("GETFLOW-AMB-3", public=all_public, of_the_class=True)
